// What firmware has measured into the emulator, told by `swtpm decode --event-log`: SeaBIOS' log and
// OVMF's, whose events come to what the guest reads from its TPM, bank by bank.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { assertUnderstood } from "../captures/check.ts";
import { run } from "../support/process.ts";
import { programUnderTest } from "../support/programs.ts";
import type { Told } from "./guest.ts";
import { inLanes } from "./lanes.ts";
import { type Image, prepareImage, Scratch, VirtualMachine } from "./virtual_machine.ts";
import type { TpmVersion } from "./emulator.ts";

/** OVMF does more than SeaBIOS, and a guest under software emulation is slow. */
const BOOT_MS = 180_000;

const parallel = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };

interface Firmware {
  readonly name: string;
  readonly version: TpmVersion;
  readonly extra: readonly string[];
  /** Words that the log must have. */
  readonly says: readonly (string | RegExp)[];
  readonly banks: readonly string[];
}

const BANKS = ["sha1", "sha256", "sha384", "sha512"];

const SEABIOS = [
  'PCR 2  EV_ACTION "Start Option ROM Scan"',
  'PCR 4  EV_ACTION "Calling INT 19h"',
  "PCR 7  EV_SEPARATOR 0xffffffff",
];

const FIRMWARES: readonly Firmware[] = [
  {
    name: "SeaBIOS, TPM 2",
    version: "2",
    extra: [],
    says: ["EV_NO_ACTION Spec ID 2.0, errata 2: sha1, sha256, sha384, sha512", ...SEABIOS],
    banks: BANKS,
  },
  {
    name: "SeaBIOS, TPM 1.2",
    version: "1.2",
    extra: [],
    says: SEABIOS,
    banks: ["sha1"],
  },
  {
    name: "OVMF",
    version: "2",
    extra: ["-bios", "/usr/share/ovmf/OVMF.fd", "-m", "384"],
    says: [
      "EV_NO_ACTION Spec ID 2.0",
      "EV_S_CRTM_VERSION",
      "EV_EFI_VARIABLE_DRIVER_CONFIG SecureBoot (EFI global) = off",
      "EV_EFI_VARIABLE_DRIVER_CONFIG dbx (image security) = ",
      /EV_EFI_VARIABLE_BOOT\w* BootOrder \(EFI global\) = 0000/,
      /Boot0000 \(EFI global\) = "UiApp" .*FvFile\(/,
      'EV_EFI_ACTION "Calling EFI Application from Boot Option"',
      "EV_SEPARATOR 0x00000000",
      "EV_EFI_BOOT_SERVICES_APPLICATION",
    ],
    banks: BANKS,
  },
];

Deno.test("a firmware's event log is told, and comes to the TPM's PCRs", parallel, async (t) => {
  const image = await prepareImage();
  await inLanes(
    2,
    FIRMWARES.map((firmware) => async () => {
      await t.step({ name: firmware.name, fn: () => checkFirmware(image, firmware), ...parallel });
    }),
  );
});

async function checkFirmware(image: Image, firmware: Firmware): Promise<void> {
  const { name, says, banks } = firmware;
  await using scratch = await Scratch.make();
  const path = (file: string) => `${scratch.folder}/${file}`;
  const told = await booted(image, firmware, scratch);
  const log = path("log");
  await Deno.writeFile(log, logIn(told));
  const text = await run(programUnderTest(), ["decode", "--event-log", log]);
  assert.deepEqual([text.code, text.stderr], [0, ""], text.stdout);
  for (const words of says) {
    const found = typeof words === "string" ? text.stdout.includes(words) : words.test(text.stdout);
    assert.ok(found, `${name}: no ${words} in\n${text.stdout}`);
  }
  assert.ok(!text.stdout.includes("not those of these data"), text.stdout);

  const json = await run(programUnderTest(), ["decode", "--json", "--event-log", log]);
  const { pcrs } = JSON.parse(json.stdout);
  assert.deepEqual(Object.keys(pcrs).sort(), [...banks].sort());
  let compared = 0;
  for (const bank of banks) {
    for (const [pcr, value] of Object.entries(pcrs[bank])) {
      const held = told.get(`pcr.${bank}.${pcr}`);
      assert.equal(held?.toLowerCase(), value, `${name}: PCR ${pcr} of ${bank}`);
      compared++;
    }
  }
  console.log(`${name}: ${JSON.parse(json.stdout).events.length} events, ${compared} PCR values`);
  const tally = await assertUnderstood(path("capture"), name.replaceAll(/\W+/g, "-"));
  console.log(`${name}: ${tally.text}`);
}

/** Boots, and gives the log and the PCRs as the guest tells them. */
async function booted(
  image: Image,
  { version, extra }: Firmware,
  scratch: Scratch,
): Promise<Told> {
  await using machine = await VirtualMachine.start({
    ...{ image, version, extra, folder: scratch.folder, name: "firmware" },
    state: await scratch.stateFolder("firmware"),
    device: version === "2" ? "tpm-crb" : "tpm-tis",
    pcap: `${scratch.folder}/capture`,
  });
  await machine.guest.up(BOOT_MS);
  const told = await machine.guest.run("event_log_bytes");
  await machine.powerOff();
  return told;
}

function logIn(told: Told): Uint8Array {
  const parts = [...told].filter(([key]) => key.startsWith("log."));
  return Uint8Array.from(Buffer.from(parts.map(([, digits]) => digits).join(""), "hex"));
}

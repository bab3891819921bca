// `swtpm decode --event-log` and `--against`: logs of real firmware, logs that are damaged, and TPMs,
// running or as a state, that were extended as a log says.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { EV } from "../../tcg/event_log/event_types.ts";
import { type LoggedEvent, TCG_EfiSpecIDEvent, writeEventLog } from "../../tcg/event_log/log.ts";
import { encode } from "../../tcg/kernel/codec.ts";
import { Client as Client12 } from "../../tcg/tpm12/client/client.ts";
import { TPM_Extend } from "../../tcg/tpm12/commands/pcrs.ts";
import { TPM_ALG } from "../../tcg/tpm2/algorithms.ts";
import { Client } from "../../tcg/tpm2/client/client.ts";
import { TPM2_PCR_Extend } from "../../tcg/tpm2/commands/pcrs.ts";
import { TPM2_Shutdown } from "../../tcg/tpm2/commands/startup.ts";
import { TPM_SU } from "../../tcg/tpm2/constants.ts";
import type { DataClient } from "../support/client.ts";
import { CMD } from "../support/control.ts";
import { Emulator, type EmulatorOptions } from "../support/emulator.ts";
import { type Outcome, run } from "../support/process.ts";
import { checkoutPath, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";

/** Of QEMU 7.2's guests at their boot with Debian's OVMF 2022.11 and SeaBIOS 1.16, by tests/vm/. */
const fixture = (name: string) => checkoutPath("tests", "decode", "fixtures", name);

async function decode(...words: string[]): Promise<Outcome> {
  return await run(programUnderTest(), ["decode", ...words]);
}

const SIZES = { [TPM_ALG.SHA1]: 20, [TPM_ALG.SHA256]: 32 } as const;
const HASHES = { [TPM_ALG.SHA1]: "sha1", [TPM_ALG.SHA256]: "sha256" } as const;
const ALGORITHMS = [TPM_ALG.SHA1, TPM_ALG.SHA256] as const;

const textOf = (text: string) => new TextEncoder().encode(text);

/** An event whose digests are those of its data. */
function measured(pcrIndex: number, eventType: number, event: Uint8Array): LoggedEvent {
  const digests = ALGORITHMS.map((algorithm) => ({
    algorithm,
    digest: new Uint8Array(createHash(HASHES[algorithm]).update(event).digest()),
  }));
  return { offset: 0, pcrIndex, eventType, digests, event };
}

const EVENTS = [
  measured(0, EV.POST_CODE, textOf("ACPI DATA")),
  measured(4, EV.ACTION, textOf("Calling INT 19h")),
  measured(4, EV.SEPARATOR, new Uint8Array(4)),
  measured(9, EV.IPL, textOf("grub_cmd: linux /vmlinuz\0")),
];

/** A log for two banks. */
function logOf(events: readonly LoggedEvent[]): Uint8Array {
  const specId = encode(TCG_EfiSpecIDEvent, {
    signature: textOf("Spec ID Event03\0"),
    platformClass: 0,
    specVersionMinor: 0,
    specVersionMajor: 2,
    specErrata: 0,
    uintnSize: 2,
    digestSizes: ALGORITHMS.map((algorithmId) => ({ algorithmId, digestSize: SIZES[algorithmId] })),
    vendorInfo: new Uint8Array(),
  });
  const first = {
    ...{ offset: 0, pcrIndex: 0, eventType: EV.NO_ACTION, event: specId },
    digests: [{ algorithm: TPM_ALG.SHA1, digest: new Uint8Array(20) }],
  };
  return writeEventLog({ events: [first, ...events] });
}

/** Has a TPM measure what a log says. */
async function extend(data: DataClient, events: readonly LoggedEvent[]): Promise<Client> {
  const client = new Client((command) => data.command(command));
  for (const { pcrIndex, digests } of events) {
    await client.run(TPM2_PCR_Extend, {
      pcrHandle: pcrIndex,
      digests: digests.map(({ algorithm: hashAlg, digest }) => ({
        hashAlg,
        digest: hashAlg === TPM_ALG.SHA1 ? { sha1: digest } : { sha256: digest },
      })),
    });
  }
  return client;
}

Deno.test("event log: a real firmware's is told event by event", async () => {
  const { code, stdout, stderr } = await decode("--event-log", fixture("ovmf.eventlog"));
  assert.deepEqual([code, stderr], [0, ""]);
  for (
    const words of [
      "  1 PCR 0  EV_NO_ACTION Spec ID 2.0, errata 0: sha1, sha256, sha384, sha512\n",
      " EV_EFI_PLATFORM_FIRMWARE_BLOB 917504 bytes at 0x820000\n",
      " EV_EFI_VARIABLE_DRIVER_CONFIG SecureBoot (EFI global) = off\n" +
      "      sha1     57cd4dc19442475aa82743484f3b1caa88e142b8\n",
      "/File(kernel), 14186432 bytes at 0x12ded018\n",
      ' Boot0000 (EFI global) = "UiApp" Fv(7cb8bdc9-f8eb-4f34-aaea-3ee4af6516a1)/FvFile(',
      ' EV_EVENT_TAG tag 0x8f3b22ec "Linux initrd"\n',
      "sha256:\n  PCR 0  d77fc29859a4de928ab3ff2f311cd1209553f3d8779e08edfad84efeb0552edf\n",
    ]
  ) assert.ok(stdout.includes(words), `no ${words} in ${stdout}`);
  const old = await decode("--json", "--event-log", fixture("seabios-tpm12.eventlog"));
  const { events, pcrs } = JSON.parse(old.stdout);
  assert.deepEqual([events.length, Object.keys(pcrs)], [13, ["sha1"]]);
  assert.deepEqual(events[1].data, { kind: "text", text: "Start Option ROM Scan" });
});

Deno.test("event log: one that is cut off or changed is told so, and where", async () => {
  await using folder = new TempDir();
  const path = folder.join("log");
  const whole = await Deno.readFile(fixture("ovmf.eventlog"));
  await Deno.writeFile(path, whole.subarray(0, 1000));
  const cut = await decode("--event-log", path);
  assert.equal(cut.code, 1);
  assert.match(
    cut.stderr,
    /^swtpm: '.*', event 6\.digests at byte 986: 48 bytes wanted, 14 left\n$/,
  );
  assert.ok(cut.stdout.includes("EV_S_CRTM_VERSION"));
  const changed = whole.slice();
  // SecureBoot's one byte of data: it was measured as 0.
  const at = new TextDecoder("latin1").decode(whole).indexOf("S\0e\0c\0u\0r\0e\0B\0o\0o\0t\0") + 20;
  assert.equal(changed[at], 0);
  changed[at] = 1;
  await Deno.writeFile(path, changed);
  const doubtful = await decode("--event-log", path);
  assert.match(doubtful.stdout, /SecureBoot \(EFI global\) = on the digests are not those of/);
  const none = await decode("--event-log", "/dev/null");
  assert.deepEqual([none.code, none.stdout], [1, ""]);
  assert.match(none.stderr, /there is no event in it/);
});

for (const transport of ["unix", "tcp"] as const) {
  Deno.test(`event log: against a TPM that runs, over ${transport}`, async () => {
    await using folder = new TempDir();
    const path = folder.join("log");
    await Deno.writeFile(path, logOf(EVENTS));
    await using emulator = await Emulator.start({ transport, flags: ["startup-clear"] });
    const { dataAddress } = emulator;
    const where = dataAddress.transport === "unix"
      ? dataAddress.path
      : `${dataAddress.hostname}:${dataAddress.port}`;
    const compare = () => decode("--event-log", path, "--against", where);
    {
      using data = await emulator.connectData();
      await extend(data, EVENTS);
    }
    const same = await compare();
    assert.deepEqual([same.code, same.stderr], [0, ""]);
    assert.ok(same.stdout.endsWith(`All 6 PCRs in '${where}' are what the log says.\n`));
    {
      using data = await emulator.connectData();
      await extend(data, [measured(4, EV.ACTION, textOf("something else"))]);
    }
    const other = await compare();
    assert.deepEqual([other.code, other.stderr], [1, ""]);
    const said = other.stdout.split("\n").filter((line) => line.startsWith("differs:"));
    assert.equal(said.length, 2, other.stdout);
    assert.match(said[1]!, /^differs: PCR 4 of sha256 is [0-9a-f]{64}, the log says [0-9a-f]{64}$/);
    const json = await decode("--json", "--event-log", path, "--against", where);
    const { differences } = JSON.parse(json.stdout);
    assert.deepEqual(
      differences.map(({ bank, pcr }: { bank: string; pcr: number }) => [bank, pcr]),
      [
        ["sha1", 4],
        ["sha256", 4],
      ],
    );
  });
}

const KEY = "0123456789abcdef".repeat(2);

for (
  const [title, kept, args] of [
    ["saved while it ran", "volatile", []],
    ["shut down to go on", "state", []],
    ["encrypted", "volatile", ["key"]],
  ] as const
) {
  Deno.test(`event log: against a state, ${title}`, async () => {
    await using folder = new TempDir();
    const path = folder.join("log");
    const stateDir = folder.join("state");
    const keyFile = folder.join("key");
    await Deno.mkdir(stateDir);
    await Deno.writeTextFile(keyFile, KEY);
    await Deno.writeFile(path, logOf(EVENTS));
    const key = args.includes("key" as never) ? ["--key", `file=${keyFile},format=hex`] : [];
    await prepare({ stateDir, args: key }, kept);
    const before = filesOf(stateDir);
    const same = await decode("--event-log", path, "--against", stateDir, ...key);
    assert.deepEqual([same.code, same.stderr], [0, ""], same.stdout);
    assert.ok(same.stdout.includes("All 6 PCRs in"));
    await Deno.writeFile(path, logOf(EVENTS.slice(1)));
    const other = await decode("--event-log", path, "--against", stateDir, ...key);
    assert.equal(other.code, 0, "a PCR that the log has no event for is not compared");
    await Deno.writeFile(path, logOf([...EVENTS, EVENTS[0]!]));
    const more = await decode("--event-log", path, "--against", stateDir, ...key);
    assert.equal(more.code, 1);
    assert.match(more.stdout, /differs: PCR 0 of sha256/);
    assert.deepEqual(filesOf(stateDir), before, "a state is read, nothing else");
  });
}

/** Leaves a state of a TPM that has measured. */
async function prepare(options: EmulatorOptions, kept: "volatile" | "state" | "none") {
  await using emulator = await Emulator.start({ ...options, flags: ["startup-clear"] });
  using data = await emulator.connectData();
  const client = await extend(data, EVENTS);
  if (kept === "state") await client.run(TPM2_Shutdown, { shutdownType: TPM_SU.STATE });
  if (kept === "volatile") {
    using control = await emulator.connectControl();
    await control.command(CMD.STORE_VOLATILE);
  }
  if (kept === "none") await client.run(TPM2_Shutdown, { shutdownType: TPM_SU.CLEAR });
  emulator.kill("SIGKILL");
  await emulator.exit;
}

Deno.test("event log: against a TPM 1.2 that runs, and its state", async () => {
  await using folder = new TempDir();
  const path = folder.join("log");
  const stateDir = folder.join("state");
  await Deno.mkdir(stateDir);
  const events = EVENTS.map((event) => ({ ...event, digests: event.digests.slice(0, 1) }));
  await Deno.writeFile(path, writeEventLog({ events }));
  await using emulator = await Emulator.start({
    ...{ tpm2: false, stateDir, flags: ["startup-clear"] },
  });
  {
    using data = await emulator.connectData();
    const client = new Client12((command) => data.command(command));
    for (const { pcrIndex: pcrNum, digests } of events) {
      await client.run(TPM_Extend, { pcrNum, inDigest: digests[0]!.digest });
    }
    using control = await emulator.connectControl();
    await control.command(CMD.STORE_VOLATILE);
  }
  const { dataAddress } = emulator;
  assert.ok(dataAddress.transport === "unix");
  for (const where of [dataAddress.path, stateDir]) {
    const same = await decode("--event-log", path, "--against", where);
    assert.deepEqual([same.code, same.stderr], [0, ""]);
    assert.ok(same.stdout.endsWith(`All 3 PCRs in '${where}' are what the log says.\n`));
  }
  await Deno.writeFile(path, writeEventLog({ events: events.slice(0, 2) }));
  const other = await decode("--event-log", path, "--against", dataAddress.path);
  assert.equal(other.code, 1);
  assert.match(other.stdout, /\ndiffers: PCR 4 of sha1 is [0-9a-f]{40}, the log says/);
});

function filesOf(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) =>
    `${name} ${createHash("sha256").update(Deno.readFileSync(`${folder}/${name}`)).digest("hex")}`
  ).sort();
}

Deno.test("event log: what cannot be compared is told", async () => {
  await using folder = new TempDir();
  const log = folder.join("log");
  await Deno.writeFile(log, logOf(EVENTS));
  const stateDir = folder.join("state");
  await Deno.mkdir(stateDir);
  const against = async (where: string) => {
    const { code, stderr } = await decode("--event-log", log, "--against", where);
    assert.equal(code, 1);
    return stderr;
  };
  assert.match(await against("/nonexistent"), /'\/nonexistent' is neither there nor HOST:PORT/);
  assert.match(await against(stateDir), /there is no TPM's state in '/);
  assert.match(await against("127.0.0.1:1"), /[Cc]onnection refused/);
  await prepare({ stateDir }, "none");
  assert.match(await against(stateDir), /has no PCR values: its TPM was shut down/);
  const alone = await decode("--against", stateDir);
  assert.equal(alone.code, 1);
  assert.match(alone.stderr, /--against compares what --event-log FILE replays to/);
  // The control channel is no TPM.
  await using emulator = await Emulator.start({});
  const { controlAddress } = emulator;
  assert.ok(controlAddress.transport === "unix");
  assert.match(await against(controlAddress.path), /no TPM: is it the data socket\?/);
});

Deno.test("event log: a state that it is compared with is left as it is", async () => {
  await using folder = new TempDir();
  const path = folder.join("log");
  await Deno.writeFile(path, logOf(EVENTS));
  const stateDir = folder.join("state");
  Deno.mkdirSync(stateDir);
  {
    await using emulator = await Emulator.start({ stateDir, flags: ["startup-clear"] });
    using data = await emulator.connectData();
    const client = await extend(data, EVENTS);
    await client.run(TPM2_Shutdown, { shutdownType: TPM_SU.STATE });
    await emulator.stop();
  }
  const file = `${stateDir}/tpm2-00.permall`;
  Deno.chmodSync(file, 0o400);
  assert.equal((await decode("--event-log", path, "--against", stateDir)).code, 0);
  assert.equal((Deno.statSync(file).mode ?? 0) & 0o777, 0o400);
  const none = folder.join("none");
  assert.equal((await decode("--event-log", path, "--against", `file://${none}`)).code, 1);
  assert.throws(() => Deno.statSync(none), Deno.errors.NotFound);
});

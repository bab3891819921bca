// TPMs by our swtpm_setup beside those by the C program's, of both versions and over the same libtpms:
// what is in them is the same but for what must differ, and each works in the other's emulator.

import assert from "node:assert/strict";
import type { AuthValue } from "../../tcg/tpm12/client/session.ts";
import { Client as Tpm12Client } from "../../tcg/tpm12/client/client.ts";
import { TpmClient } from "../tcg/tpm_client.ts";
import { startOn } from "../state/stores.ts";
import { contentsOfTpm2 } from "./contents.ts";
import { contentsOfTpm12 } from "./contents12.ts";
import { type House, Workshop } from "./houses.ts";

const KEY_MS = 60_000;

type Contents = Readonly<Record<string, unknown>>;

/** One way to call it. */
interface Order {
  readonly words: string;
  readonly backend?: "file";
  /** How the emulator gets at the state. */
  readonly key?: string;
  /** Only 0.10 has it. */
  readonly isNew?: true;
  /** Words of a second call, on what the first has made. */
  readonly then?: string;
  readonly owner?: { readonly auth: AuthValue; readonly srk: AuthValue };
}

const TPM2: readonly Order[] = [
  { words: "--createek" },
  { words: "--create-ek-cert --create-platform-cert --lock-nvram --vmid vm:1" },
  { words: "--create-platform-cert --pcr-banks sha1,sha512", backend: "file" },
  { words: "--create-ek-cert --create-spk --pcr-banks -" },
  { words: "--create-spk --ecc --pcr-banks sha384,sha1 --pcr-banks sha384" },
  { words: "--create-ek-cert --rsa-keysize 3072 --create-spk" },
  { words: "--create-ek-cert --rsa-keysize max --allow-signing", backend: "file" },
  { words: "--create-ek-cert --create-platform-cert --allow-signing --decryption --lock-nvram" },
  { words: "--create-ek-cert --decryption" },
  { words: "--createek --keyfile key.hex", key: "file=key.hex,mode=aes-128-cbc" },
  {
    words: "--create-ek-cert --keyfile-fd 7 --cipher aes-256-cbc",
    key: "file=key256.hex,mode=aes-256-cbc",
    backend: "file",
  },
  { words: "--pwdfile phrase --cipher aes-256-cbc", key: "pwdfile=phrase,mode=aes-256-cbc" },
  { words: "--pwdfile-fd 9", key: "pwdfile=phrase,mode=aes-cbc" },
  { words: "--create-ek-cert", then: "--reconfigure --pcr-banks sha1,sha384" },
  { words: "--createek", then: "--create-ek-cert --overwrite", backend: "file" },
  { words: '--create-ek-cert --profile {"Name":"default-v1"}', isNew: true },
  { words: "--createek --profile-name null", isNew: true },
  { words: '--profile {"Name":"custom:x"} --profile-remove-disabled check', isNew: true },
];

const OWNED = "--take-ownership";
const TPM12: readonly Order[] = [
  { words: "--createek" },
  { words: "" },
  { words: OWNED, owner: { auth: "ooo", srk: "sss" } },
  {
    words: `${OWNED} --owner-well-known --srk-well-known --create-ek-cert --create-platform-cert`,
    owner: { auth: "\0".repeat(20), srk: "\0".repeat(20) },
    backend: "file",
  },
  {
    words: `${OWNED} --srkpass two --srk-well-known --owner-well-known --ownerpass one`,
    owner: { auth: "one", srk: "two" },
  },
  {
    words: `${OWNED} --ownerpass one --srkpass two --create-ek-cert --lock-nvram`,
    owner: { auth: "one", srk: "two" },
  },
  { words: "--create-ek-cert --create-platform-cert --vmid vm" },
  { words: "--create-platform-cert --lock-nvram --keyfile-fd 8", key: "file=key.hex,mode=aes-cbc" },
];

/** Has the order made by one house and looks at it in the other. */
async function make(
  workshop: Workshop,
  { words, backend, key, then, owner }: Order,
  family: "TPM 2" | "TPM 1.2",
  maker: House,
  server: House,
): Promise<Contents> {
  const path = Deno.makeTempDirSync({ dir: workshop.folder.path });
  const uri = backend === "file" ? `file://${path}/state` : `dir://${path}`;
  const version = family === "TPM 2" ? ["--tpm2"] : [];
  for (const step of then === undefined ? [words] : [words, then]) {
    const { code, stdout, stderr } = await workshop.setup(maker, uri, [
      ...version,
      ...step.split(" ").filter(Boolean),
    ]);
    assert.equal(code, 0, `${maker.name} ${step}: ${stdout}${stderr}`);
  }
  const found = key?.replace(/file=/, (option) => `${option}${workshop.folder.path}/`);
  await using emulator = await startOn(`backend-uri=${uri}`, found, {
    program: server.emulator,
    tpm2: family === "TPM 2",
    flags: ["startup-clear"],
    ...{ args: [], startTimeoutMs: KEY_MS },
  });
  if (family === "TPM 2") {
    await using client = await TpmClient.connect(emulator);
    return await contentsOfTpm2(client);
  }
  using data = await emulator.connectData();
  const client = new Tpm12Client((command) => data.command(command, KEY_MS));
  return await contentsOfTpm12(client, owner);
}

const USES = /(X509v3 Key Usage","[^"]*","[^"]*HEX DUMP\]:)([0-9A-F]+)/g;
/** The certificate of a key that signs says so; the first bit is that of signatures. */
const SIGNS = /^(03020780 03020780|030205A0 03020388)/;

function usesOf(contents: Contents): string {
  return [...JSON.stringify(contents).matchAll(USES)].map(([, , uses]) => uses).join(" ");
}

function withoutUses(contents: Contents): unknown {
  return JSON.parse(JSON.stringify(contents).replaceAll(USES, "$1"));
}

for (const name of ["0.7.1", "0.10"] as const) {
  for (const [family, orders] of [["TPM 2", TPM2], ["TPM 1.2", TPM12]] as const) {
    Deno.test(`a ${family} by swtpm_setup is what C ${name} makes it [setup-key-usage]`, async (t) => {
      await using workshop = await Workshop.make(name);
      const { c, ours } = workshop;
      for (const order of orders.filter(({ isNew }) => name === "0.10" || !isNew)) {
        const title = `${order.words.slice(0, 90)}${order.backend === "file" ? " in a file" : ""}`;
        await t.step(title || "nothing", async () => {
          const theirs = await make(workshop, order, family, c, ours);
          const made = await make(workshop, order, family, ours, c);
          const signs = order.words.includes("--allow-signing");
          assert.equal(usesOf(made) !== usesOf(theirs), signs);
          if (signs) assert.match(usesOf(made), SIGNS);
          assert.deepEqual(withoutUses(made), withoutUses(theirs));
        });
      }
    });
  }
}

for (const name of ["0.7.1", "0.10"] as const) {
  Deno.test(`C ${name} goes on with an authority that is ours, and we with its`, async () => {
    await using workshop = await Workshop.make(name);
    const { c, ours, folder } = workshop;
    for (const [at, house] of [ours, c, ours, c].entries()) {
      const place = folder.join(`state-${at}`);
      Deno.mkdirSync(place);
      const made = await workshop.setup(house, place, ["--tpm2", "--create-ek-cert"]);
      assert.equal(made.code, 0, `${house.name}: ${made.stderr}`);
    }
  });
}

// A TPM that a tool has for itself alone: commands as bytes, states in memory or where the tool
// keeps them, nothing that others could connect to.

import assert from "node:assert/strict";
import { Log } from "../../daemon/output/log.ts";
import { openSystem } from "../../daemon/system.ts";
import { MemoryBackend } from "../../state/memory.ts";
import { StateStore } from "../../state/store.ts";
import { openPrivateTpm, type PrivateTpm } from "../../tools/own_tpm/private_tpm.ts";
import { readPcrRead as readPcrRead12, tpm12 } from "../support/tpm12.ts";
import {
  readAnswer,
  readCreatePrimary,
  readGetRandom,
  readNvRead,
  readPcrRead,
  successBody,
  tpm2,
} from "../support/tpm2.ts";

const system = openSystem();
const log = await Log.open(system.files, { file: "-", level: 0, prefix: "", truncate: false });
/** libtpms stays open as long as its process. */
const test = (name: string, fn: () => Promise<void>) =>
  Deno.test({ name, fn, sanitizeResources: false });

const DIGEST = new Uint8Array(32).fill(7);

/** Does `action` with a TPM, in memory where no store is given. */
async function withTpm<T>(
  action: (tpm: PrivateTpm) => Promise<T>,
  given: Pick<Parameters<typeof openPrivateTpm>[0], "startup" | "store"> = {},
  options = { tpm2: true },
): Promise<T> {
  using closers = new DisposableStack();
  return await action(await openPrivateTpm({ system, options, log, ...given }, closers));
}

/** What the sockets of this process are called in /proc. */
function ownSockets(): string[] {
  return [...Deno.readDirSync("/proc/self/fd")].flatMap(({ name }) => {
    try {
      return [Deno.readLinkSync(`/proc/self/fd/${name}`)];
    } catch {
      return []; // the descriptor of the list itself
    }
  }).filter((link) => link.startsWith("socket:")).sort();
}

test("a private TPM is started up and does commands, long ones too, without a socket", async () => {
  const before = ownSockets();
  await withTpm(async ({ send }) => {
    const random = await send(tpm2.getRandom(16));
    const key = await send(tpm2.createPrimaryRsa(2048));
    assert.equal(readGetRandom(random).length, 16, "a response is the caller's to keep");
    assert.equal(readCreatePrimary(key) >>> 24, 0x80);
    assert.deepEqual(ownSockets(), before);
  });
});

test("a private TPM 1.2 is one", async () => {
  await withTpm(
    async ({ send }) => assert.equal(readPcrRead12(await send(tpm12.pcrRead(0))).length, 20),
    {},
    { tpm2: false },
  );
});

test("a private TPM keeps its state where the tool says, and leaves it open", async () => {
  const store = new StateStore(new MemoryBackend());
  await withTpm(async ({ send }) => {
    successBody(await send(tpm2.nvDefineSpace(8)));
    successBody(await send(tpm2.nvWrite(DIGEST.subarray(0, 8))));
  }, { store });
  await withTpm(
    async ({ send }) =>
      assert.deepEqual(readNvRead(await send(tpm2.nvRead(8))), DIGEST.subarray(0, 8)),
    { store },
  );
  await withTpm(async ({ send }) => {
    assert.notEqual(readAnswer(await send(tpm2.nvRead(8))).code, 0, "one in memory has nothing");
  });
});

test("a private TPM goes on from a volatile state where no new life is to begin", async () => {
  const store = new StateStore(new MemoryBackend());
  const pcr = tpm2.pcrRead(16);
  const extended = await withTpm(async ({ send, tpm }) => {
    successBody(await send(tpm2.pcrExtend(16, DIGEST)));
    const value = readPcrRead(await send(pcr));
    tpm.storeVolatile();
    return value;
  }, { store });
  const resumed = await withTpm(async ({ send }) => readPcrRead(await send(pcr)), {
    store,
    startup: "none",
  });
  assert.deepEqual(resumed, extended);
});

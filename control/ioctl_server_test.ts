// Unit tests of control commands as ioctls: what is answered to which bytes, and what happens then.
import { Errno } from "../ffi/libc.ts";
import { MemoryBackend } from "../state/memory.ts";
import { tpm12, tpm2 } from "../tpm/family.ts";
import { TpmResult } from "../wire/codes.ts";
import { BlobTransfer } from "./blob_transfer.ts";
import { fakeChip, type FakeChipSetup } from "./chip_fake.ts";
import type { ControlTap } from "./connection.ts";
import { ioctls } from "./ioctl.ts";
import { IoctlServer } from "./ioctl_server.ts";
import { BlobType, type CommandName } from "./protocol.ts";
import { type ControlTraffic, readTraffic } from "./traffic.ts";
import { deepEqual, equal, ok } from "node:assert/strict";

/** A storage whose lock another process has. */
class TakenBackend extends MemoryBackend {
  override get locked(): boolean {
    return false;
  }
  override lock(): void {
    throw new Error("another process has it");
  }
}

function server({ tap, ...setup }: FakeChipSetup & { tap?: ControlTap } = {}) {
  const policy = { rejectLocality4: true, allowSetLocality: false };
  const { libtpms, backend, lock, tpm, handlers, report } = fakeChip({ ...setup, policy });
  const transfer = new BlobTransfer(handlers);
  const power: boolean[] = [];
  const powerChanged = () => void power.push(tpm.running);
  const control = new IoctlServer({ handlers, tpm, lock, transfer, powerChanged, report, tap });
  const execute = (name: CommandName, ...bytes: number[]) => {
    const { request, size, input } = ioctls[name];
    const argument = new Uint8Array(input.size === 0 ? 0 : size);
    argument.set(bytes);
    return control.execute(request, argument);
  };
  const output = async (name: CommandName, ...bytes: number[]) => {
    const turn = await execute(name, ...bytes);
    ok("output" in turn, `${name} answers with bytes`);
    return [...turn.output];
  };
  return { control, libtpms, backend, tpm, transfer, power, execute, output };
}
const u32 = (value: number) => [value & 255, value >>> 8 & 255, value >>> 16 & 255, value >>> 24];

Deno.test("the capabilities are the same for both versions, less what only sockets have", async () => {
  for (const family of [tpm12, tpm2]) {
    deepEqual(await server({ family }).output("GET_CAPABILITY"), [...u32(0x16fff), ...u32(0)]);
  }
});

Deno.test("what is no command of the device's is EINVAL", async () => {
  const { control, execute } = server();
  const refused = { errno: Errno.EINVAL, effects: [] };
  deepEqual(await control.execute(0x5401, new Uint8Array()), refused);
  deepEqual(await execute("SET_DATAFD"), refused);
  // A number of ours whose argument did not come with it.
  deepEqual(await control.execute(ioctls.INIT.request, new Uint8Array(3)), refused);
});

Deno.test("commands for a TPM that is on, or off, are refused in the other state", async () => {
  const off = server();
  for (
    const name of [
      "GET_TPMESTABLISHED",
      "HASH_START",
      "HASH_DATA",
      "HASH_END",
      "CANCEL_TPM_CMD",
      "STORE_VOLATILE",
      "RESET_TPMESTABLISHED",
      "GET_STATEBLOB",
    ] as const
  ) {
    deepEqual(await off.output(name), u32(TpmResult.BAD_ORDINAL), name);
  }
  const on = server({ running: true });
  deepEqual(await on.output("SET_STATEBLOB"), u32(TpmResult.BAD_ORDINAL));
  deepEqual(await on.output("SET_BUFFERSIZE", 0, 16), u32(TpmResult.BAD_ORDINAL));
});

Deno.test("INIT, STOP and SHUTDOWN tell that answers of before are nobody's", async () => {
  const { output, execute, tpm, power } = server();
  deepEqual(await output("INIT", 1), u32(0));
  equal(tpm.running, true);
  deepEqual(await output("STOP"), u32(0));
  const shutdown = await execute("SHUTDOWN");
  deepEqual(shutdown.effects, [{ kind: "terminate" }]);
  deepEqual(power, [true, false, false]);
});

Deno.test("localities: set, and the established bit reset from one", async () => {
  const { output, libtpms } = server({ running: true });
  deepEqual(await output("SET_LOCALITY", 3), u32(0));
  deepEqual(await output("SET_LOCALITY", 4), u32(TpmResult.BAD_LOCALITY));
  deepEqual(await output("RESET_TPMESTABLISHED", 3), u32(0));
  ok(libtpms.calls.includes("resetEstablished 3"));
  // The C program never answers this one.
  deepEqual(await output("RESET_TPMESTABLISHED", 5), u32(TpmResult.BAD_LOCALITY));
  deepEqual(await output("GET_TPMESTABLISHED"), [...u32(0), 1, 0, 0, 0]);
});

Deno.test("hash data are as long as they say, up to what the struct holds", async () => {
  const { output, libtpms } = server({ running: true });
  deepEqual(await output("HASH_DATA", ...u32(5)), u32(0));
  deepEqual(await output("HASH_DATA", ...u32(4096)), u32(0));
  deepEqual(await output("HASH_DATA", ...u32(4097)), u32(TpmResult.FAIL));
  deepEqual(libtpms.calls.filter((call) => call.startsWith("hashData")), [
    "hashData 5",
    "hashData 4096",
  ]);
});

Deno.test("buffer size, configuration and information", async () => {
  const { output } = server();
  deepEqual(await output("SET_BUFFERSIZE", ...u32(3000)), [0, 3000, 2808, 4096].flatMap(u32));
  deepEqual(await output("GET_CONFIG"), [...u32(0), ...u32(0)]);
  const text = [...new TextEncoder().encode('{"flags":33}\0')];
  deepEqual(await output("GET_INFO", ...u32(33), ...u32(0), ...u32(4)), [
    ...u32(0),
    ...u32(13),
    ...u32(9),
    ...text.slice(4),
  ]);
  const behind = await output("GET_INFO", ...u32(33), ...u32(0), ...u32(12));
  deepEqual(behind, u32(TpmResult.BAD_PARAMETER));
});

Deno.test("a state that was received is the TPM's with the next INIT", async () => {
  const { output, execute, libtpms, transfer } = server();
  const blob = await blobOf([1, 2, 3]);
  const type = u32(BlobType.PERMANENT);
  deepEqual(await output("SET_STATEBLOB", ...u32(0), ...type, ...u32(0)), u32(0));
  equal(transfer.mode, "writing");
  transfer.write(blob);
  deepEqual(await output("SET_STATEBLOB", ...u32(0), ...type, ...u32(0)), u32(0));
  ok(libtpms.calls.includes("setState 1 1,2,3"));
  await execute("INIT", 1);
  equal(transfer.mode, "commands");
});

Deno.test("who does not get the lock may not set states, and ends", async () => {
  const { execute } = server({ backend: new TakenBackend() });
  const turn = await execute("SET_STATEBLOB", ...u32(0), ...u32(1), ...u32(0));
  deepEqual(turn, { errno: Errno.EIO, effects: [{ kind: "terminate" }] });
});

Deno.test("commands that need the chip wait for one that runs", async () => {
  const { control, libtpms, tpm } = server({ running: true });
  const { promise, resolve } = Promise.withResolvers<void>();
  libtpms.aside = promise;
  const createPrimary = Uint8Array.of(0x80, 2, 0, 0, 0, 10, 0, 0, 1, 0x31);
  const answer = tpm.process(createPrimary, createPrimary.length);
  equal(control.mustWait(ioctls.GET_STATEBLOB.request), true);
  equal(control.mustWait(ioctls.STOP.request), true);
  equal(control.mustWait(ioctls.CANCEL_TPM_CMD.request), false);
  equal(control.mustWait(0x5401), false);
  resolve();
  await answer;
  equal(control.mustWait(ioctls.STOP.request), false);
});

/** A state as a TPM hands it out. */
async function blobOf(state: number[]): Promise<Uint8Array<ArrayBuffer>> {
  const { libtpms, transfer } = server({ running: true });
  libtpms.permanent = Uint8Array.from(state);
  const outcome = await transfer.get({ flags: 0, type: BlobType.PERMANENT, offset: 0 });
  ok("response" in outcome && outcome.data !== undefined);
  return outcome.data;
}

Deno.test("whoever looks on sees them as they would come over a socket", async () => {
  const seen: ControlTraffic[] = [];
  let request = new Uint8Array();
  const tap = {
    request: (bytes: Uint8Array) => void (request = bytes.slice()),
    response: (bytes: Uint8Array) => void seen.push(readTraffic(request, bytes)),
  };
  const { output, execute } = server({ tap });
  await output("STORE_VOLATILE");
  await output("INIT", 1);
  await output("SET_LOCALITY", 4);
  await output("HASH_DATA", 3, 0, 0, 0, 0x61, 0x62, 0x63);
  await output("GET_CAPABILITY");
  await execute("SHUTDOWN");
  deepEqual(seen.map(({ name, request, result }) => [name, request, result]), [
    ["CMD_STORE_VOLATILE", {}, TpmResult.BAD_ORDINAL],
    ["CMD_INIT", { flags: 1 }, 0],
    ["CMD_SET_LOCALITY", { locality: 4 }, TpmResult.BAD_LOCALITY],
    ["CMD_HASH_DATA", { length: 3 }, 0],
    ["CMD_GET_CAPABILITY", {}, 0],
    ["CMD_SHUTDOWN", {}, 0],
  ]);
  deepEqual(seen[4]!.response, { capabilities: 0x16fff });
});

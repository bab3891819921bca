// Unit tests of the emulated chip over a libtpms that answers as it is told.
import { FakeLibtpms } from "../ffi/libtpms_fake.ts";
import { MemoryBackend } from "../state/memory.ts";
import { StorageLock } from "../state/storage_lock.ts";
import { StateStore } from "../state/store.ts";
import { CC_SET_LOCALITY, TpmRc, TpmResult } from "../wire/codes.ts";
import { commandHeader, sendCommandPrefix, startupCommand } from "../wire/tpm.ts";
import { type Family, tpm12, tpm2 } from "./family.ts";
import type { TpmParts } from "./parts.ts";
import { Tpm } from "./tpm.ts";
import { deepEqual, equal, ok } from "node:assert/strict";

function chip(family: Family = tpm2, more: Partial<TpmParts> = {}) {
  const libtpms = new FakeLibtpms();
  const backend = new MemoryBackend();
  const reports: string[] = [];
  const tpm = new Tpm({
    family,
    libtpms,
    nvram: new StateStore(backend),
    lock: new StorageLock(backend, false),
    policy: { rejectLocality4: false, allowSetLocality: false },
    autoShutdown: true,
    report: (message) => reports.push(message),
    ...more,
  });
  return { tpm, libtpms, reports };
}
function command(code: number, ...more: number[]): Uint8Array<ArrayBuffer> {
  const size = commandHeader.size + more.length;
  return commandHeader.encode({ tag: 0x8001, size, code }, Uint8Array.from(more));
}
function sent(tpm: Tpm, bytes: Uint8Array<ArrayBuffer>): number[] {
  const answer = tpm.process(bytes, bytes.length);
  ok(!(answer instanceof Promise));
  return [...answer];
}
/** Code of a response without anything around it. */
const codeOf = (answer: number[]) => new DataView(Uint8Array.from(answer).buffer).getUint32(6);
const processed = (libtpms: FakeLibtpms) => libtpms.calls.filter((c) => c.startsWith("process"));

Deno.test("a chip that is off answers by itself, in the version's own way", () => {
  deepEqual(sent(chip(tpm2).tpm, command(0x17b)), [0x80, 1, 0, 0, 0, 10, 0, 0, 1, 1]);
  deepEqual(sent(chip(tpm12).tpm, command(0x46)), [0, 0xc4, 0, 0, 0, 10, 0, 0, 0, 9]);
});

Deno.test("a failed start leaves the chip off, and another one may succeed", () => {
  const { tpm, libtpms, reports } = chip();
  libtpms.results["mainInit"] = TpmRc.FAILURE;
  equal(tpm.start(false), TpmRc.FAILURE);
  equal(tpm.running, false);
  equal(reports.length, 1);
  delete libtpms.results["mainInit"];
  equal(tpm.start(false), TpmResult.SUCCESS);
  equal(tpm.running, true);
});

Deno.test("stopping sends TPM2_Shutdown, unless the client's last command was one", () => {
  const { tpm, libtpms } = chip();
  tpm.start(false);
  tpm.stop();
  deepEqual(processed(libtpms), ["process 80010000000c000001450001"]);
  tpm.start(false);
  sent(tpm, startupCommand.encode({ tag: 0x8001, size: 12, code: 0x145, type: 0 }));
  const before = processed(libtpms).length;
  tpm.stop();
  equal(processed(libtpms).length, before);
});

Deno.test("a refused TPM2_Shutdown(STATE) is followed by CLEAR, one before Startup is not", () => {
  for (const [code, count] of [[TpmRc.FAILURE, 2], [TpmRc.INITIALIZE, 1]] as const) {
    const { tpm, libtpms } = chip();
    libtpms.answers.set(0x145, Uint8Array.of(0x80, 1, 0, 0, 0, 10, 0, 0, code >> 8, code & 0xff));
    tpm.start(false);
    tpm.stop();
    equal(processed(libtpms).length, count);
  }
});

Deno.test("a prefixed command gets its answer between size and trailer, and its locality stays", () => {
  const { tpm, libtpms } = chip();
  tpm.start(false);
  const inner = command(0x17b);
  const prefix = { word: 8, locality: 3, size: inner.length };
  const answer = sent(tpm, sendCommandPrefix.encode(prefix, inner));
  deepEqual(answer, [0, 0, 0, 10, 0x80, 1, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0]);
  equal(libtpms.locality, 3);
});

Deno.test("SetLocality commands are obeyed only where that is allowed", () => {
  const refused = chip().tpm;
  refused.start(false);
  equal(codeOf(sent(refused, command(CC_SET_LOCALITY, 2))), TpmRc.FAILURE);
  const policy = { rejectLocality4: true, allowSetLocality: true };
  const { tpm, libtpms } = chip(tpm2, { policy });
  tpm.start(false);
  equal(codeOf(sent(tpm, command(CC_SET_LOCALITY, 2))), TpmRc.SUCCESS);
  equal(libtpms.locality, 2);
  equal(codeOf(sent(tpm, command(CC_SET_LOCALITY, 4))), TpmRc.LOCALITY);
  equal(codeOf(sent(tpm, command(CC_SET_LOCALITY))), TpmRc.INSUFFICIENT);
  equal(libtpms.locality, 2);
});

Deno.test("the established bit is reset from the asked locality, which does not stay", () => {
  const { tpm, libtpms } = chip();
  tpm.start(false);
  equal(tpm.resetEstablished(3), TpmResult.SUCCESS);
  ok(libtpms.calls.includes("resetEstablished 3"));
  equal(libtpms.locality, 0);
  equal(tpm.resetEstablished(5), TpmResult.BAD_LOCALITY);
});

Deno.test("a long command runs aside and is pending until its answer is there", async () => {
  const { tpm, libtpms } = chip();
  tpm.start(false);
  const { promise, resolve } = Promise.withResolvers<void>();
  libtpms.aside = promise;
  const create = command(0x131);
  const answer = tpm.process(create, create.length);
  ok(answer instanceof Promise);
  ok(tpm.pending !== undefined);
  resolve();
  equal((await answer).length, 10);
  equal(tpm.pending, undefined);
});

Deno.test("a profile is handed in until a start succeeded with it", () => {
  const { tpm, libtpms } = chip(tpm2, { profile: '{"Name":"null"}' });
  libtpms.results["mainInit"] = TpmRc.FAILURE;
  tpm.start(false);
  delete libtpms.results["mainInit"];
  tpm.start(false);
  tpm.start(false);
  equal(libtpms.calls.filter((call) => call.startsWith("setProfile")).length, 2);
});

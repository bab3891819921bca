// The header and the entries of state files: golden bytes, and each way a header can be wrong.
import assert from "node:assert/strict";
import { TpmResult } from "../wire/codes.ts";
import {
  BlobFlag,
  blobHeader,
  decodeBlob,
  decodeEntries,
  encodeBlob,
  encodeEntries,
  entryHeader,
  Tag,
} from "./envelope.ts";
import { StateError } from "./error.ts";

/**
 * Head of the permanent state of a new TPM 2, 1299 bytes of state, as swtpm 0.7.1 with libtpms 0.9.2
 * wrote it (`swtpm socket --tpm2 --flags not-need-init --tpmstate dir=...`).
 */
const C_HEAD = [0x02, 1, 0, 0x0a, 0, 0, 0, 0, 0x05, 0x23, 0, 1, 0, 0, 0x05, 0x13];

function refusal(bytes: Uint8Array<ArrayBuffer>): { result: number; message: string } {
  try {
    decodeBlob(bytes, "it");
  } catch (error) {
    assert(error instanceof StateError, String(error));
    return { result: error.result, message: error.message };
  }
  throw new Error("the blob was accepted");
}

/** A whole blob with other values in its header. */
function withHeader(given: Partial<ReturnType<typeof blobHeader.decode>>) {
  const bytes = encodeBlob(0, [{ tag: Tag.DATA, data: Uint8Array.of(1, 2, 3) }]);
  blobHeader.write(bytes, 0, { ...blobHeader.decode(bytes), ...given });
  return bytes;
}

Deno.test("a plain state begins as the C program's does", () => {
  const state = new Uint8Array(1299);
  const bytes = encodeBlob(0, [{ tag: Tag.DATA, data: state }]);
  assert.deepEqual([...bytes.subarray(0, C_HEAD.length)], C_HEAD);
  assert.equal(bytes.length, C_HEAD.length + state.length);
});

Deno.test("a blob's header and entries are read as they were written", () => {
  const entries = [
    { tag: Tag.ENCRYPTED_DATA, data: Uint8Array.of(1) },
    { tag: Tag.HMAC, data: new Uint8Array() },
    { tag: Tag.IV, data: Uint8Array.of(2, 3) },
  ];
  const blob = decodeBlob(encodeBlob(BlobFlag.ENCRYPTED | BlobFlag.KEY_256, entries), "it");
  assert.equal(blob.version, 2);
  assert.equal(blob.flags, BlobFlag.ENCRYPTED | BlobFlag.KEY_256);
  const found = decodeEntries(blob.payload, "it");
  for (const { tag, data } of entries) assert.deepEqual(found.get(tag), data);
  assert.equal(found.get(Tag.DATA), undefined);
});

Deno.test("of two entries with one tag the first counts, and unknown tags are no matter", () => {
  const one = { tag: Tag.DATA, data: Uint8Array.of(1) };
  const two = { tag: Tag.DATA, data: Uint8Array.of(2) };
  const later = { tag: 0x7777, data: Uint8Array.of(3) };
  assert.deepEqual(decodeEntries(encodeEntries([later, one, two]), "it").get(Tag.DATA), one.data);
  assert.equal(decodeEntries(new Uint8Array(), "it").size, 0);
});

Deno.test("entries that do not fill the payload are refused", () => {
  const bytes = encodeEntries([
    { tag: Tag.HMAC, data: new Uint8Array(4) },
    { tag: Tag.DATA, data: new Uint8Array(4) },
  ]);
  const whole = [0, entryHeader.size + 4, bytes.length];
  for (let length = 0; length <= bytes.length; length++) {
    const decode = () => decodeEntries(bytes.subarray(0, length), "it");
    if (whole.includes(length)) decode();
    else assert.throws(decode, /^StateError: it is damaged: the part at (0|10) is cut short$/);
  }
  for (const length of [3, 5, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
    entryHeader.write(bytes, 0, { tag: Tag.HMAC, length });
    assert.throws(() => decodeEntries(bytes, "it"), StateError);
  }
});

Deno.test("each way a header can be wrong has its result and its words", () => {
  assert.deepEqual(refusal(new Uint8Array()), {
    result: TpmResult.BAD_PARAMETER,
    message: "it is empty",
  });
  const short = refusal(withHeader({}).subarray(0, 9));
  assert.equal(short.result, TpmResult.BAD_PARAMETER);
  assert.match(short.message, /^it is cut short: 9 bytes/);

  const cut = refusal(withHeader({}).subarray(0, 15));
  assert.equal(cut.result, TpmResult.BAD_PARAMETER);
  assert.match(cut.message, /^it is cut short: of its 19 bytes there are 15$/);

  const long = refusal(withHeader({ totalLength: 18 }));
  assert.equal(long.result, TpmResult.BAD_PARAMETER);
  assert.match(long.message, /^it is damaged: it should have 18 bytes, and has 19$/);

  const newer = refusal(withHeader({ minVersion: 3 }));
  assert.equal(newer.result, TpmResult.BAD_VERSION);
  assert.match(newer.message, /^it was written by a newer version/);

  const head = refusal(withHeader({ headerSize: 12 }));
  assert.equal(head.result, TpmResult.BAD_DATASIZE);
  assert.match(head.message, /has a header of 12 bytes in place of 10/);
});

Deno.test("a file without a header is told from a damaged one", () => {
  // The beginning of a TPM 2's permanent state itself, as very old versions wrote it.
  const bare = Uint8Array.from(C_HEAD.toReversed());
  const { result, message } = refusal(bare);
  assert.equal(result, TpmResult.BAD_PARAMETER);
  assert.match(message, /^it has no header/);
});

Deno.test("the length is looked at before the version, and the version before the header size", () => {
  const bytes = withHeader({ minVersion: 9, headerSize: 9, totalLength: 1 });
  assert.equal(refusal(bytes).result, TpmResult.BAD_PARAMETER);
  assert.equal(
    refusal(withHeader({ minVersion: 9, headerSize: 9 })).result,
    TpmResult.BAD_VERSION,
  );
});

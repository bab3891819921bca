// Unit tests of the control protocol's client: what it sends, and what it makes of whole, short, false
// and split answers; the same for devices.
import { deepEqual, equal, throws } from "node:assert/strict";
import { StreamControlClient } from "./client.ts";
import { ioctls } from "./ioctl.ts";
import { IoctlControlClient } from "./ioctl_client.ts";
import { BlobType } from "./protocol.ts";

/** Answers with these bytes in pieces of `size`. */
class AnsweringStream {
  readonly sent: number[][] = [];
  #rest: Uint8Array;

  constructor(answer: readonly number[], private readonly size = Infinity) {
    this.#rest = Uint8Array.from(answer);
  }

  send(bytes: Uint8Array): void {
    this.sent.push([...bytes]);
  }

  receive(into: Uint8Array): number {
    const piece = this.#rest.subarray(0, Math.min(into.length, this.size));
    into.set(piece);
    this.#rest = this.#rest.subarray(piece.length);
    return piece.length;
  }
}

const state = [...[0, 0, 0, 0], ...[0, 0, 0, 1], ...[0, 0, 0, 3], ...[0, 0, 0, 3], 7, 8, 9];
const request = { flags: 1, type: BlobType.VOLATILE, offset: 0 };

Deno.test("a command and its answer, whole and byte by byte", () => {
  for (const size of [Infinity, 1]) {
    const stream = new AnsweringStream(state, size);
    const answer = new StreamControlClient(stream).ask("GET_STATEBLOB", request);
    deepEqual(stream.sent, [[0, 0, 0, 12, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0]]);
    equal("response" in answer && answer.response.totalLength, 3);
    deepEqual("data" in answer && [...answer.data], [7, 8, 9]);
  }
});

Deno.test("a refusal is four bytes", () => {
  const client = new StreamControlClient(new AnsweringStream([0, 0, 0, 10]));
  deepEqual(client.ask("GET_CONFIG", {}), { failure: 10 });
});

Deno.test("that there is no state is an answer", () => {
  const none = [...[0, 0, 8, 0], ...new Array(12).fill(0)];
  const answer = new StreamControlClient(new AnsweringStream(none)).ask("GET_STATEBLOB", request);
  equal("data" in answer && answer.data.length, 0);
});

Deno.test("a state has a segment of its own", () => {
  const stream = new AnsweringStream([0, 0, 0, 0]);
  const asked = { flags: 0, type: BlobType.PERMANENT, length: 2 };
  new StreamControlClient(stream).ask("SET_STATEBLOB", asked, Uint8Array.of(5, 6));
  deepEqual(stream.sent[1], [5, 6]);
  equal(stream.sent[0]?.length, 16);
});

Deno.test("hashed data do not", () => {
  const stream = new AnsweringStream([0, 0, 0, 0]);
  new StreamControlClient(stream).ask("HASH_DATA", { length: 2 }, Uint8Array.of(5, 6));
  deepEqual(stream.sent, [[0, 0, 0, 7, 0, 0, 0, 2, 5, 6]]);
});

Deno.test("an answer that ends too early is none", () => {
  for (const length of [0, 3, 4, 15, 18]) {
    const client = new StreamControlClient(new AnsweringStream(state.slice(0, length)));
    throws(() => client.ask("GET_STATEBLOB", request), /closed before the answer was whole/);
  }
});

Deno.test("no memory is asked for data that no answer has", () => {
  const answer = [...[0, 0, 0, 0], ...[0xff, 0, 0, 0], ...[0xff, 0, 0, 0]];
  const client = new StreamControlClient(new AnsweringStream(answer));
  const asked = { high: 0, flags: 1, offset: 0 };
  throws(() => client.ask("GET_INFO", asked), /invalid length of 4278190080, expected maximum/);
});

Deno.test("a device is asked by one struct for the request and the response", () => {
  const calls: number[] = [];
  const client = new IoctlControlClient({
    ioctl: (request, argument) => {
      calls.push(request);
      equal(argument.length, ioctls.GET_STATEBLOB.size);
      deepEqual([...argument.subarray(0, 12)], [1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]);
      argument.set([...[0, 0, 0, 0], ...[1, 0, 0, 0], ...[9, 0, 0, 0], ...[2, 0, 0, 0], 7, 8]);
    },
    read: () => 0,
    write: () => {},
  });
  const answer = client.ask("GET_STATEBLOB", request);
  deepEqual(calls, [ioctls.GET_STATEBLOB.request]);
  equal("response" in answer && answer.response.totalLength, 9);
  deepEqual("data" in answer && [...answer.data], [7, 8]);
});

Deno.test("a device's capabilities have no result before them", () => {
  const client = new IoctlControlClient({
    ioctl: (_request, argument) => argument.set([0xff, 0x6f, 1, 0]),
    read: () => 0,
    write: () => {},
  });
  const answer = client.ask("GET_CAPABILITY", {});
  equal("response" in answer && answer.response.capabilities, 0x16fff);
});

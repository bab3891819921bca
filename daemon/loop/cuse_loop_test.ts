// Unit tests of the cuse interface's loop over a device whose users do what the test wrote.
import { BlobTransfer } from "../../control/blob_transfer.ts";
import { fakeChip } from "../../control/chip_fake.ts";
import { ioctls } from "../../control/ioctl.ts";
import { IoctlServer } from "../../control/ioctl_server.ts";
import type { CommandName } from "../../control/protocol.ts";
import { Errno } from "../../ffi/libc.ts";
import type { FakeLibtpms } from "../../ffi/libtpms_fake.ts";
import { POLLIN, POLLOUT } from "../../ffi/poll.ts";
import { MemoryBackend } from "../../state/memory.ts";
import type { CuseChannel } from "../../transports/cuse_device.ts";
import type { CuseRequest } from "../../transports/cuse_request.ts";
import { CuseLoop } from "./cuse_loop.ts";
import { deepEqual, equal, ok } from "node:assert/strict";

/** A request, a pause in which nothing is there, or an action between two requests. */
type Step = CuseRequest | "pause" | (() => void);

/** Users who do one step after the other; then the device is gone. */
class ScriptedDevice implements CuseChannel {
  readonly fd = -1;
  readonly replies: string[] = [];

  constructor(readonly steps: Step[]) {}

  receive(): CuseRequest | "gone" | undefined {
    for (;;) {
      const step = this.steps.shift();
      if (typeof step === "function") step();
      else if (step === "pause") return undefined;
      else return step ?? "gone";
    }
  }
  opened = (unique: number) => this.#reply(unique, "opened");
  released = (unique: number) => this.#reply(unique, "released");
  data = (unique: number, bytes: Uint8Array) => this.#reply(unique, `data ${hex(bytes)}`);
  written = (unique: number, count: number) => this.#reply(unique, `written ${count}`);
  ioctl = (unique: number, output: Uint8Array) => this.#reply(unique, `ioctl ${hex(output)}`);
  poll = (unique: number, ready: number) => this.#reply(unique, `poll ${ready}`);
  fail = (unique: number, errno: number) => this.#reply(unique, `fail ${errno}`);
  wake = (handle: number) => void this.replies.push(`wake ${handle}`);

  #reply(unique: number, what: string): void {
    this.replies.push(`${unique}: ${what}`);
  }
}

/** Sleeps until it is woken up; the scripted device has no descriptor to wait for. */
class FakePoller {
  #woken = Promise.withResolvers<void>();
  clear(): void {}
  add(): number {
    return 1;
  }
  now(): number {
    return 0;
  }
  async aside(timeoutMs: number): Promise<number> {
    if (timeoutMs < 0) await this.#woken.promise;
    this.#woken = Promise.withResolvers();
    return 0;
  }
  wake(): void {
    this.#woken.resolve();
  }
}

const hex = (bytes: Uint8Array) =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const bytes = (text: string) =>
  Uint8Array.from(text.match(/\w\w/g) ?? [], (pair) => parseInt(pair, 16));

let unique = 0;
const open = (): CuseRequest => ({ kind: "open", unique: ++unique });
const release = (): CuseRequest => ({ kind: "release", unique: ++unique });
const read = (size: number, waits = true): CuseRequest => (
  { kind: "read", unique: ++unique, size, waits }
);
const write = (data: string): CuseRequest => (
  { kind: "write", unique: ++unique, bytes: bytes(data) }
);
const poll = (handle: number): CuseRequest => (
  { kind: "poll", unique: ++unique, handle, sleeps: true }
);
function ioctl(name: CommandName, argument = ""): CuseRequest {
  const { request: command, size, input } = ioctls[name];
  const data = new Uint8Array(input.size === 0 ? 0 : size);
  data.set(bytes(argument));
  return { kind: "ioctl", unique: ++unique, command, input: data, outputMax: size };
}

const GET_RANDOM = "80010000000c0000017b0008";
const CREATE_PRIMARY = "80020000000a00000131";
const RESPONSE = "80010000000a00000000";

interface Setup {
  running?: boolean;
  backend?: MemoryBackend;
  /** Made with the chip and its library at hand, so that steps can act on them. */
  steps: (libtpms: FakeLibtpms, loop: () => CuseLoop) => Step[];
}

/** Plays the steps; the replies, each with the number of its request in order, and the library. */
async function play({ running = true, backend = new MemoryBackend(), steps }: Setup) {
  unique = 0;
  const reports: string[] = [];
  const report = (message: string) => void reports.push(message);
  const chip = { running, backend, prefixes: false, report };
  const { libtpms, lock, tpm, handlers } = fakeChip(chip);
  const transfer = new BlobTransfer(handlers);
  const powerChanged = () => loop.forgetResponse();
  const control = new IoctlServer({ handlers, tpm, lock, transfer, powerChanged, report });
  const device = new ScriptedDevice(steps(libtpms, () => loop));
  const poller = new FakePoller();
  const loop: CuseLoop = new CuseLoop({
    ...{ tpm, lock, poller, device, transfer, ioctls: control, report },
  });
  await loop.run();
  return { replies: device.replies, libtpms, reports };
}
const replies = async (setup: Setup) => (await play(setup)).replies;

/** What the test lets a command in another thread wait for. */
function holding(libtpms: FakeLibtpms): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  libtpms.aside = promise;
  return resolve;
}

Deno.test("a command is written, its response read in parts, then there is no more", async () => {
  deepEqual(
    await replies({ steps: () => [open(), write(GET_RANDOM), read(4), read(100), read(100)] }),
    ["1: opened", "2: written 12", "3: data 80010000", "4: data 000a00000000", "5: data "],
  );
});

Deno.test("one user at a time: the second gets EBUSY, and after the first has gone the device", async () => {
  deepEqual(
    await replies({ steps: () => [open(), open(), release(), open()] }),
    ["1: opened", `2: fail ${Errno.EBUSY}`, "3: released", "4: opened"],
  );
});

Deno.test("a response stays for who opens the device next, until the next command", async () => {
  deepEqual(
    await replies({
      steps: () => [
        ...[open(), write(GET_RANDOM), read(4), release()],
        ...[open(), read(100), write(GET_RANDOM), read(100)],
      ],
    }),
    [
      ...["1: opened", "2: written 12", "3: data 80010000", "4: released"],
      ...["5: opened", "6: data 000a00000000", "7: written 12", `8: data ${RESPONSE}`],
    ],
  );
});

Deno.test("a TPM that is off answers so", async () => {
  const setup = { running: false, steps: () => [open(), write(GET_RANDOM), read(100)] };
  deepEqual((await replies(setup)).at(-1), "3: data 80010000000a00000101");
});

Deno.test("what is too long for any command is cut, and the writer told", async () => {
  const { replies, libtpms } = await play({ steps: () => [write(GET_RANDOM + "00".repeat(5000))] });
  deepEqual(replies, ["1: written 4096"]);
  const processed = libtpms.calls.find((call) => call.startsWith("process"));
  equal(processed?.length, "process ".length + 2 * 4096);
});

Deno.test("the send-command prefix of the sockets is none here", async () => {
  const { libtpms } = await play({ steps: () => [write(`0000000804000000 0c${GET_RANDOM}`)] });
  ok(libtpms.calls.includes(`process 00000008040000000c${GET_RANDOM}`));
});

Deno.test("a long command is taken at once; reads and further commands wait or are told", async () => {
  const { replies } = await play({
    steps: (libtpms) => {
      const finish = holding(libtpms);
      return [
        write(CREATE_PRIMARY),
        write(GET_RANDOM),
        read(100, false),
        read(4),
        ioctl("STOP"),
        ioctl("GET_CONFIG"),
        poll(77),
        finish,
        "pause",
        poll(78),
      ];
    },
  });
  deepEqual(replies, [
    "1: written 10",
    `2: fail ${Errno.EBUSY}`,
    `3: fail ${Errno.EAGAIN}`,
    "6: ioctl 0000000000000000",
    "7: poll 0",
    "4: data 80010000",
    "5: ioctl 00000000",
    "wake 77",
    `8: poll ${POLLIN | POLLOUT}`,
  ]);
});

Deno.test("CANCEL_TPM_CMD reaches a command that runs", async () => {
  const { replies, libtpms } = await play({
    steps: (libtpms) => {
      const finish = holding(libtpms);
      return [write(CREATE_PRIMARY), ioctl("CANCEL_TPM_CMD"), finish, "pause", read(100)];
    },
  });
  ok(libtpms.calls.indexOf("cancel") < libtpms.calls.indexOf(`process ${CREATE_PRIMARY}`));
  deepEqual(replies, ["1: written 10", "2: ioctl 00000000", `3: data ${RESPONSE}`]);
});

Deno.test("who waits and is interrupted is told; others go on waiting", async () => {
  const { replies } = await play({
    steps: (libtpms) => {
      const finish = holding(libtpms);
      return [
        write(CREATE_PRIMARY),
        read(3),
        read(4),
        { kind: "interrupt", unique: 2 },
        { kind: "interrupt", unique: 99 },
        finish,
        "pause",
      ];
    },
  });
  deepEqual(replies, ["1: written 10", `2: fail ${Errno.EINTR}`, "3: data 80010000"]);
});

Deno.test("the response to a user who left waits for the next one, who waits for it", async () => {
  const { replies } = await play({
    steps: (libtpms) => {
      const finish = holding(libtpms);
      return [
        ...[open(), write(CREATE_PRIMARY), release(), open(), write(GET_RANDOM), read(100)],
        ...[finish, "pause" as const, write(GET_RANDOM), read(100)],
      ];
    },
  });
  deepEqual(replies.slice(3), [
    "4: opened",
    `5: fail ${Errno.EBUSY}`,
    `6: data ${RESPONSE}`,
    "7: written 12",
    `8: data ${RESPONSE}`,
  ]);
});

Deno.test("STOP takes the response with it", async () => {
  deepEqual(
    await replies({ steps: () => [write(GET_RANDOM), ioctl("STOP"), read(100)] }),
    ["1: written 12", "2: ioctl 00000000", "3: data "],
  );
});

Deno.test("SHUTDOWN is answered, then the loop ends", async () => {
  const setup = { steps: () => [ioctl("SHUTDOWN"), open()] };
  deepEqual(await replies(setup), ["1: ioctl 00000000"]);
});

Deno.test("the end cancels a command that runs and waits for it", async () => {
  const { libtpms } = await play({
    steps: (libtpms, loop) => {
      const finish = holding(libtpms);
      return [write(CREATE_PRIMARY), () => {
        loop().end();
        finish();
      }, "pause"];
    },
  });
  ok(libtpms.calls.includes("cancel"));
  ok(libtpms.calls.includes(`process ${CREATE_PRIMARY}`));
});

Deno.test("commands are refused while a state is on its way, which ends the transfer", async () => {
  const permanent = "0000000001000000";
  deepEqual(
    await replies({
      running: false,
      steps: () => [
        ioctl("SET_STATEBLOB", `${permanent}00000000`),
        write("0102"),
        read(10),
        write(GET_RANDOM),
        read(10),
      ],
    }),
    [
      "1: ioctl 00000000",
      "2: written 2",
      `3: fail ${Errno.EIO}`,
      "4: written 12",
      "5: data 80010000000a00000101",
    ],
  );
});

Deno.test("a state is read behind its first piece", async () => {
  const steps = (libtpms: FakeLibtpms) => {
    libtpms.permanent = new Uint8Array(4000).fill(7);
    return [
      ioctl("GET_STATEBLOB", "000000000100000000000000"),
      read(5000),
      write(GET_RANDOM),
      ioctl("GET_STATEBLOB", "000000000100000000000000"),
      write(GET_RANDOM),
      write(GET_RANDOM),
    ];
  };
  const [first, rest, ...others] = await replies({ steps });
  const header = bytes(first!.slice("1: ioctl ".length));
  const total = header[8]! | header[9]! << 8;
  equal(rest!.length, "2: data ".length + 2 * (total - 3072));
  deepEqual([others[0], others[2], others[3]], [
    "3: written 12",
    `5: fail ${Errno.EIO}`,
    "6: written 12",
  ]);
});

Deno.test("a command without the lock on the storage is EIO, and the loop goes on", async () => {
  class TakenBackend extends MemoryBackend {
    override get locked(): boolean {
      return false;
    }
    override lock(): void {
      if (this.taken) throw new Error("another process has it");
    }
    taken = false;
  }
  const backend = new TakenBackend();
  const { replies, reports } = await play({
    backend,
    steps: () => [
      () => void (backend.taken = true),
      write(GET_RANDOM),
      () => void (backend.taken = false),
      write(GET_RANDOM),
    ],
  });
  deepEqual(replies, [`1: fail ${Errno.EIO}`, "2: written 12"]);
  ok(reports.includes("another process has it"));
});

Deno.test("what no device is asked for is ENOSYS; a device that is gone ends the loop", async () => {
  const { replies, reports } = await play({
    steps: () => [{ kind: "unknown", unique: 1, opcode: 38 }],
  });
  deepEqual(replies, [`1: fail ${Errno.ENOSYS}`]);
  deepEqual(reports, ["The kernel took the device away"]);
});

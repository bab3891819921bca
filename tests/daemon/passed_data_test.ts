// SET_DATAFD with all kinds of descriptors: what can be a data connection is one, what cannot is
// refused, and nothing else happens; nor with one that comes along with another request.

import assert from "node:assert/strict";
import { fields, hex, u32 } from "../support/bytes.ts";
import { CMD, controlMessage, payload } from "../support/control.ts";
import { type Address, DataClient } from "../support/client.ts";
import { Emulator } from "../support/emulator.ts";
import { Descriptors } from "../support/fd_passing.ts";
import { freePortPair } from "../support/ports.ts";
import { TestProcess } from "../support/process.ts";
import { programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { readAnswer, tpm2 } from "../support/tpm2.ts";
import { waitUntil } from "../support/wait.ts";

const SUCCESS = "00000000";
const BAD_PARAMETER = "00000003";

type Make = (descriptors: Descriptors, emulator: Emulator) => number;

/** What the log calls it, and how it is made. */
const unfit: Record<string, [RegExp, Make]> = {
  "a file": [/is not a socket \(file\)/, (fds) => fds.file("/proc/self/exe")],
  "a directory": [/is not a socket \(directory\)/, (fds) => fds.file("/")],
  "the end of a pipe": [/is not a socket \(fifo\)/, (fds) => fds.pipe()[0]],
  "a character device": [/is not a socket \(character\)/, (fds) => fds.file("/dev/zero")],
  "a process": [/is not a socket \(other\)/, (fds) => fds.process(Deno.pid)],
  "a listening Unix socket": [
    /is a socket that is not connected/,
    (fds, emulator) => fds.listen({ transport: "unix", path: emulator.file("other") }, 1),
  ],
  "a listening TCP socket": [
    /is a socket that is not connected/,
    (fds) => fds.listen({ transport: "tcp", hostname: "127.0.0.1", port: 0 }, 1),
  ],
  "an unconnected Unix socket": [/is a socket that is not connected/, (fds) => fds.socket("unix")],
  "an unconnected TCP socket": [/is a socket that is not connected/, (fds) => fds.socket("tcp")],
};

/** A TPM without a data channel, and a connection to its control channel. */
async function begin(descriptors: Descriptors) {
  const emulator = await Emulator.start({ dataServer: false, flags: ["startup-clear"] });
  const fd = await descriptors.connectAside(emulator.controlAddress);
  const control = descriptors.client(fd);
  const serves = async () => {
    await control.send(controlMessage(CMD.GET_CONFIG));
    assert.equal(hex(await control.receive(8)), SUCCESS + SUCCESS);
  };
  await serves();
  const pass = async (passed: number) => {
    descriptors.sendWithDescriptors(fd, controlMessage(CMD.SET_DATAFD), [passed]);
    const answer = hex(await control.receive(4));
    descriptors.close(passed);
    return answer;
  };
  return { emulator, serves, pass };
}

for (const [what, [words, make]] of Object.entries(unfit)) {
  Deno.test(`SET_DATAFD with ${what} is refused, and that is all [datafd-kind]`, async () => {
    using descriptors = new Descriptors();
    const { emulator, serves, pass } = await begin(descriptors);
    await using _emulator = emulator;
    const open = () => [...Deno.readDirSync(`/proc/${emulator.pid}/fd`)].length;
    const before = open();
    assert.equal(await pass(make(descriptors, emulator)), BAD_PARAMETER);
    await waitUntil("the reason in the log", () => words.test(emulator.stderr));
    assert.equal(open(), before, "it is closed");
    await serves();
    const [ours, theirs] = descriptors.socketPair();
    assert.equal(await pass(theirs), SUCCESS);
    const data = new DataClient(descriptors.client(ours));
    assert.equal(readAnswer(await data.command(tpm2.getRandom(8))).code, 0);
    assert.equal((await emulator.stop()).code, 0);
  });
}

/** Connections that lead back to an emulator: to its control channel, or its simulator's port. */
const back: Record<string, (fds: Descriptors, own: number, at: Address, port: number) => number> = {
  "its own end": (_fds, own) => own,
  "a connection that waits for its end": (fds, _own, at) => fds.connect(at),
  "a connection to another port": (fds, _own, _at, port) =>
    fds.connect({ transport: "tcp", hostname: "127.0.0.1", port }),
};

for (const [what, make] of Object.entries(back)) {
  Deno.test(`a client that passes ${what} by SET_DATAFD is refused and leaves its place [own-end]`, async () => {
    using descriptors = new Descriptors();
    const port = freePortPair();
    const args = ["--mssim", `type=tcp,port=${port}`];
    await using emulator = await Emulator.start({ dataServer: false, args });
    await emulator.serving();
    const open = () => [...Deno.readDirSync(`/proc/${emulator.pid}/fd`)].length;
    const before = open();
    const fd = await descriptors.connectAside(emulator.controlAddress);
    const control = descriptors.client(fd);
    for (let n = 0; n < 3; n++) {
      const passed = make(descriptors, fd, emulator.controlAddress, port);
      descriptors.sendWithDescriptors(fd, controlMessage(CMD.SET_DATAFD), [passed]);
      assert.equal(hex(await control.receive(4)), BAD_PARAMETER);
      if (passed !== fd) descriptors.close(passed);
    }
    await waitUntil(
      "the reason",
      () => /a connection to this program itself/.test(emulator.stderr),
    );
    control.close();
    using next = await emulator.connectControl();
    assert.equal(hex(await next.command(CMD.GET_CONFIG)), SUCCESS + SUCCESS);
    next.close();
    // The connection that showed that it serves may have been open when they were counted.
    await waitUntil("all that was passed to be closed", () => open() <= before);
  });
}

for (const type of ["stream", "packets"] as const) {
  Deno.test(`a client that passes its own end of a pair for ${type} is refused and leaves [own-end]`, async () => {
    using descriptors = new Descriptors();
    await using folder = new TempDir();
    const [ours, theirs] = descriptors.socketPair({ inheritable: true, type });
    await using server = new TestProcess(programUnderTest(), [
      ...["socket", "--tpm2", "--tpmstate", `dir=${folder.path}`],
      ...["--ctrl", `type=unixio,clientfd=${theirs},terminate`],
    ]);
    descriptors.close(theirs);
    const control = descriptors.client(ours);
    const pass = async (passed: number) => {
      descriptors.sendWithDescriptors(ours, controlMessage(CMD.SET_DATAFD), [passed]);
      return hex(await control.receive(4));
    };
    assert.equal(await pass(ours), BAD_PARAMETER);
    assert.equal(await pass(ours), BAD_PARAMETER);
    // Another pair, which has no names either, is the data connection.
    const [data, passed] = descriptors.socketPair({ type });
    assert.equal(await pass(passed), SUCCESS);
    descriptors.close(passed);
    const client = new DataClient(descriptors.client(data));
    // Its TPM is off: TPM_RC_INITIALIZE or the like is an answer, too.
    assert.notEqual(readAnswer(await client.command(tpm2.getRandom(8))).code, 0);
    control.close();
    assert.equal((await server.ended()).code, 0);
  });
}

for (const type of ["stream", "datagram", "packets"] as const) {
  Deno.test(`SET_DATAFD with a socket for ${type} is the data connection`, async () => {
    using descriptors = new Descriptors();
    const { emulator, pass } = await begin(descriptors);
    await using _emulator = emulator;
    const [ours, theirs] = descriptors.socketPair({ type });
    assert.equal(await pass(theirs), SUCCESS);
    const data = new DataClient(descriptors.client(ours));
    for (let n = 0; n < 3; n++) {
      assert.equal(readAnswer(await data.command(tpm2.getRandom(8))).code, 0);
    }
  });
}

Deno.test("what a passed connection brings is a command, never a word [simulator-words]", async () => {
  using descriptors = new Descriptors();
  const { emulator, pass } = await begin(descriptors);
  await using _emulator = emulator;
  const [ours, theirs] = descriptors.socketPair();
  assert.equal(await pass(theirs), SUCCESS);
  const data = new DataClient(descriptors.client(ours));
  for (const word of [5, 6, 7, 15, 16, 20, 21]) {
    // A guest's bytes: such a message would end its TPM's connection, or measure in its name.
    const answer = await data.command(fields(u32(word), new Uint8Array(60)));
    assert.notEqual(readAnswer(answer).code, 0, `word ${word}`);
  }
  assert.equal(readAnswer(await data.command(tpm2.getRandom(8))).code, 0);
});

for (const when of ["with the head", "with the body"] as const) {
  Deno.test(`a client that passed its own end ${when} of a request leaves its place [passed-end]`, async () => {
    using descriptors = new Descriptors();
    await using emulator = await Emulator.start({ dataServer: false });
    const address = emulator.controlAddress;
    const fd = await descriptors.connectAside(address);
    const client = descriptors.client(fd);
    await client.send(controlMessage(CMD.STOP));
    assert.equal(hex(await client.receive(4)), SUCCESS);
    // More than is collected before the command begins, so that its body is being waited for.
    const head = fields(
      controlMessage(CMD.SET_STATEBLOB, payload.getStateBlob(0, 1, 0x40000)),
      new Uint8Array(5000),
    );
    if (when === "with the head") descriptors.sendWithDescriptors(fd, head, [fd]);
    else {
      // The last byte goes when all before it has been read.
      await client.sendSplit(fields(head, new Uint8Array(1)), [head.length]);
      descriptors.sendWithDescriptors(fd, new Uint8Array(100), [fd]);
    }
    client.close();
    using next = await emulator.connectControl();
    assert.equal(hex(await next.command(CMD.GET_CONFIG)), SUCCESS + SUCCESS);
  });
}

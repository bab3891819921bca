// `swtpm ping` as a health check: whom it finds, by which words, and that it has an end with whoever
// does not answer as a TPM.

import assert from "node:assert/strict";
import { type Address, ControlClient } from "../support/client.ts";
import { CMD, payload } from "../support/control.ts";
import { Emulator } from "../support/emulator.ts";
import { Descriptors } from "../support/fd_passing.ts";
import { freePort } from "../support/ports.ts";
import { type Outcome, run, type StartOptions } from "../support/process.ts";
import { programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { StartedTpm } from "../run/started_tpm.ts";
import { type Answer, ScriptedServer } from "./scripted_server.ts";

/** Short enough for a test, long enough for a machine that has other work to show its time. */
const TIMEOUT_S = "0.4";
/** How much later than that it may end, the start of the program included. */
const LATER_MS = 10_000;

async function ping(words: readonly string[], options: StartOptions = {}): Promise<Outcome> {
  return await run(programUnderTest(), ["ping", ...words], options);
}

/** Fails unless it gives up when its time is over, with this message. */
async function isLate(words: readonly string[], message: RegExp): Promise<void> {
  const begin = performance.now();
  const { code, stdout, stderr } = await ping([...words, "--timeout", TIMEOUT_S]);
  const took = performance.now() - begin;
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(stderr, message);
  const least = Number(TIMEOUT_S) * 1000;
  assert.ok(took >= least && took < least + LATER_MS, `${took} ms`);
}

/** The words of all options that name a control channel. */
function waysTo(address: Address): readonly (readonly string[])[] {
  if (address.transport === "unix") {
    const { path } = address;
    return [["--unix", path], ["--ctrl", `type=unixio,path=${path},mode=0600`], [path]];
  }
  const { port } = address;
  return [
    ["--tcp", `:${port}`],
    ["--tcp", `127.0.0.1:${port}`],
    ["--ctrl", `type=tcp,port=${port}`],
    // As an emulator in a container listens.
    ["--ctrl", `type=tcp,port=${port},bindaddr=0.0.0.0,terminate`],
  ];
}

for (const transport of ["unix", "tcp"] as const) {
  Deno.test(`ping: a TPM answers, ${transport}, switched on or not`, async () => {
    await using emulator = await Emulator.start({ transport });
    for (const words of waysTo(emulator.controlAddress)) {
      const { code, stdout, stderr } = await ping(words);
      assert.deepEqual([code, stderr], [0, ""], words.join(" "));
      assert.match(stdout, /^the TPM at .* answers \(\d+\.\d ms\)\n$/);
    }
    {
      using control = await ControlClient.connect(emulator.controlAddress);
      await control.command(CMD.INIT, payload.init());
    }
    assert.equal((await ping(waysTo(emulator.controlAddress)[0]!)).code, 0);
  });
}

Deno.test("ping: the TPM of `swtpm start` is found by its variables", async () => {
  for (const options of [[], ["--tcp"]]) {
    await using tpm = await StartedTpm.start(options);
    const { code, stderr } = await ping([], { env: tpm.description.env });
    assert.deepEqual([code, stderr], [0, ""]);
  }
});

Deno.test("ping: nobody listens", async () => {
  await using folder = new TempDir();
  const port = freePort();
  const left = folder.join("left");
  {
    using listener = new Descriptors();
    listener.listen({ transport: "unix", path: left }, 1);
  }
  const refusals: readonly (readonly [readonly string[], string])[] = [
    [["--tcp", `:${port}`], `port ${port} of 127.0.0.1 is not there: Connection refused`],
    [["--unix", left], `'${left}' is not there: Connection refused`],
    [["--unix", `${left}.not`], `'${left}.not' is not there: No such file or directory`],
  ];
  for (const [words, message] of refusals) {
    const { code, stdout, stderr } = await ping(words);
    assert.deepEqual([code, stdout, stderr], [1, "", `swtpm: the TPM at ${message}\n`]);
  }
});

Deno.test("ping: somebody listens and never answers", async () => {
  await using server = ScriptedServer.playing([]);
  await isLate(["--unix", server.path], /^swtpm: the TPM at '.*' does not answer within 0\.4 s; a/);
});

Deno.test("ping: somebody begins an answer again and again and never ends it", async () => {
  const byte = { pieces: [[0], [0], [0], [0], [0], [0], [0]] };
  await using server = ScriptedServer.playing([byte]);
  await isLate(["--unix", server.path], /does not answer within 0\.4 s/);
});

Deno.test("ping: the control channel's one place is taken", async () => {
  await using emulator = await Emulator.start();
  const [words] = waysTo(emulator.controlAddress);
  {
    using control = await ControlClient.connect(emulator.controlAddress);
    await control.command(CMD.INIT, payload.init());
    await isLate(words!, /another client may hold its control channel/);
  }
  assert.equal((await ping(words!)).code, 0, "nobody else is there any more");
});

Deno.test("ping: a queue that has no place left", async () => {
  await using folder = new TempDir();
  const address = { transport: "unix", path: folder.join("socket") } as const;
  using clients = new Descriptors();
  clients.listen(address, 0);
  while (clients.connectNow(address) !== undefined);
  await isLate(["--unix", address.path], /is not there: Connection timed out/);
});

const text = (words: string) => [...new TextEncoder().encode(words)];

/** What is no TPM's answer. */
const strangers: readonly (readonly [string, Answer, RegExp])[] = [
  ["a web server", { pieces: [text("HTTP/1.1 400 Bad Request\r\n\r\n")] }, /no list of capab/],
  ["capabilities that no TPM has", { pieces: [[0, 0, 0, 0, 0, 0, 0, 0]] }, /no list of capab/],
  ["half an answer", { pieces: [[0, 0, 0, 0, 0]], close: true }, /closed before the answer was/],
  ["a connection that is closed", { close: true }, /closed before the answer was whole/],
];

for (const [name, answer, message] of strangers) {
  Deno.test(`ping: ${name}`, async () => {
    await using server = ScriptedServer.playing([answer]);
    const { code, stdout, stderr } = await ping(["--unix", server.path]);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, message);
  });
}

Deno.test("ping: words that name no TPM", async () => {
  const refusals: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /no TPM is named: give --ctrl, --unix, --tcp or a path/],
    [["--unix", "a", "--tcp", "b"], /name one address/],
    [["a", "b"], /name one address/],
    [["--ctrl", "type=unixio,fd=0"], /descriptor 0 is a .*, not a socket/],
    [["--ctrl", "path=a"], /Missing type parameter/],
    [["--tcp", ":99999"], /Port '99999' outside valid range/],
    [["--timeout", "0", "a"], /--timeout takes a number of seconds up to 3600.*not '0'/],
    [["--timeout", "soon", "a"], /not 'soon'/],
    [["--unix", "x".repeat(108)], /Socket path is too long/],
    [["--tpm-device", "/no/device"], /Unable to open device '\/no\/device'/],
  ];
  const env = { SWTPM_CTRL: "", SWTPM_PORT: "" };
  for (const [words, message] of refusals) {
    const { code, stderr } = await ping(words, { env });
    assert.equal(code, 1, words.join(" "));
    assert.match(stderr, message);
  }
});

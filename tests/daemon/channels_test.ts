// The two channels and their sockets: each has its own, and one answer is what it says.

import assert from "node:assert/strict";
import { CMD } from "../support/control.ts";
import { ControlClient } from "../support/client.ts";
import { exists } from "../support/exists.ts";
import { Descriptors } from "../support/fd_passing.ts";
import { unixListening } from "../support/listening.ts";
import { run, TestProcess } from "../support/process.ts";
import { programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { readAnswer, tpm2 } from "../support/tpm2.ts";
import { waitUntil } from "../support/wait.ts";
import { activated } from "./activation.ts";

for (
  const [what, control, data] of [
    ["one path", "D/sock", "D/sock"],
    ["one path, once relative", "D/sock", "./sock"],
    ["one path through a link to its folder", "D/sock", "link/sock"],
  ] as const
) {
  Deno.test(`${what} for both channels is refused [one-socket]`, async () => {
    await using folder = new TempDir();
    Deno.mkdirSync(folder.join("state"));
    Deno.symlinkSync(folder.path, folder.join("link"));
    const at = (path: string) => `type=unixio,path=${path.replace("D", folder.path)}`;
    const { code, stderr } = await run(programUnderTest(), [
      ...["socket", "--tpm2", "--tpmstate", `dir=${folder.join("state")}`],
      ...["--ctrl", at(control), "--server", at(data)],
    ], { cwd: folder.path });
    assert.equal(code, 1);
    assert.match(stderr, /--server names '.*sock', which is the control channel's/);
    assert.equal(exists(folder.join("sock")), false);
  });
}

Deno.test("one descriptor for both channels is refused [one-socket]", async () => {
  await using folder = new TempDir();
  const { code, stderr } = await run(activated([folder.join("sock")], { pid: "none" }), [
    ...["socket", "--tpm2", "--tpmstate", `dir=${folder.path}`],
    ...["--ctrl", "type=unixio,fd=3", "--server", "type=unixio,fd=3"],
  ]);
  assert.equal(code, 1);
  assert.match(stderr, /--server names descriptor 3, which is the control channel's/);
});

Deno.test("disconnect: the connection is closed behind an answer that had to wait", async () => {
  await using folder = new TempDir();
  Deno.mkdirSync(folder.join("state"));
  using descriptors = new Descriptors();
  const [ours, theirs] = descriptors.socketPair({ inheritable: true });
  descriptors.fill(theirs);
  const socket = folder.join("control");
  await using server = new TestProcess(programUnderTest(), [
    ...["socket", "--tpm2", "--tpmstate", `dir=${folder.join("state")}`],
    ...["--flags", "startup-clear", "--ctrl", `type=unixio,path=${socket}`],
    ...["--server", `type=tcp,fd=${theirs},disconnect`],
  ]);
  descriptors.close(theirs);
  await waitUntil("the control socket", () => unixListening(socket));
  const data = descriptors.client(ours);
  const command = tpm2.getRandom(8);
  await data.sendSplit(new Uint8Array([...command, ...command]), [command.length]);
  {
    // Served behind the first command, whose answer finds no room.
    using control = await ControlClient.connect({ transport: "unix", path: socket });
    await control.command(CMD.GET_CONFIG);
  }
  const size = 10 + 2 + 8;
  const all = await data.receiveUntilClosed();
  assert.equal(readAnswer(all.subarray(-size)).code, 0);
  assert.ok(all.subarray(0, -size).every((byte) => byte === 0), "the second one has no answer");
  assert.equal((await server.ended()).code, 0);
});

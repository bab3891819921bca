// A wait that cannot be done is told, wherever it is waited.

import assert from "node:assert/strict";

/** More descriptors than a process may have are EINVAL to poll(2). */
const LIMIT = 64;

const SCRIPT = `
  import { Libc, SystemError } from "${new URL("libc.ts", import.meta.url)}";
  import { Poller, POLLIN } from "${new URL("poll.ts", import.meta.url)}";
  const poller = new Poller(new Libc(), ${LIMIT});
  for (let slot = 0; slot < ${LIMIT}; slot++) poller.add(-1, POLLIN);
  const code = (error) => error instanceof SystemError ? error.code : String(error);
  console.log(await poller.aside(0).catch(code));
`;

Deno.test("a wait beside the event loop that fails is no wait that was interrupted", async () => {
  const words = ["-c", `ulimit -n ${LIMIT}; exec "$0" run --no-check -A -`, Deno.execPath()];
  const child = new Deno.Command("sh", { args: words, stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(SCRIPT));
  await writer.close();
  const { stdout } = await child.output();
  assert.equal(new TextDecoder().decode(stdout).trim(), "EINVAL");
});

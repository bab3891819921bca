// What the Dockerfile, the compose file and the sidecar start, as their users, in a root that is the
// image's: the executable, and /proc. The client is outside, on the same network; the health checks are
// inside.

import assert from "node:assert/strict";
import { run, type TestProcess } from "../support/process.ts";
import { checkoutPath, plainProgram } from "../support/programs.ts";
import { waitUntil } from "../support/wait.ts";
import { BareRoot, SWTPM } from "./bare_root.ts";

const read = (...path: string[]) => Deno.readTextFileSync(checkoutPath(...path));
const dockerfile = read("Dockerfile");

/** What stands behind an instruction of a Dockerfile, its continued lines joined. */
function instruction(name: string): string {
  const line = "[^\\\\\\n]*";
  const found = new RegExp(`^${name} (${line}(?:\\\\\\n${line})*)$`, "m").exec(dockerfile)?.[1];
  assert.ok(found !== undefined, `no ${name} in the Dockerfile`);
  return found.replaceAll("\\\n", "");
}

const HEALTH: readonly string[] = JSON.parse(/CMD (.*)$/.exec(instruction("HEALTHCHECK"))![1]!);

/** A program on the network of another, and `inside` its root or not. */
async function beside(process: TestProcess, words: readonly string[], inside: boolean) {
  const root = ["chroot", "--userspec=65534:65534", `/proc/${process.pid}/root`];
  const nsenter = plainProgram("nsenter", "/usr/bin/nsenter");
  return await run(nsenter, [
    "-t",
    String(process.pid),
    "--net",
    ...(inside ? root : []),
    ...words,
  ]);
}

/** Serves a client when the health check is content, and ends in order. */
async function serves(words: readonly string[], health: readonly string[]): Promise<void> {
  await using root = await BareRoot.make();
  await using server = root.start(words, { humble: true, network: true });
  await waitUntil("the health check", async () => {
    assert.ok(server.running, server.stderr);
    return (await beside(server, health, true)).code === 0;
  });
  const tcti = "--tcti=swtpm:host=127.0.0.1,port=2321";
  const client = await beside(server, ["tpm2_getrandom", tcti, "--hex", "16"], false);
  assert.match(client.stdout, /^[0-9a-f]{32}$/, client.stderr);
  server.kill("SIGSTOP");
  const stuck = await beside(server, [...health, "--timeout", "0.3"], true);
  assert.equal(stuck.code, 1, stuck.stdout);
  server.kill("SIGCONT");
  server.kill("SIGTERM");
  assert.equal((await server.ended()).code, 0);
}

Deno.test("Dockerfile: the file and nothing else, whose command serves a TPM", async () => {
  assert.equal(instruction("FROM"), "scratch");
  assert.equal(instruction("COPY"), `--chmod=0755 \${EXECUTABLE} ${SWTPM}`);
  assert.equal(instruction("USER"), "65534:65534");
  assert.doesNotMatch(dockerfile, /^(RUN|ADD)/m);
  await serves(
    [...JSON.parse(instruction("ENTRYPOINT")), ...JSON.parse(instruction("CMD"))],
    HEALTH,
  );
});

Deno.test("sidecar.yaml: its arguments serve a TPM, and its probe finds it", async () => {
  const text = read("examples", "sidecar.yaml");
  const args = [...text.matchAll(/^ {8}- (.*)$/gm)].map(([, word]) => word!)
    .filter((word) => !word.startsWith("name:"));
  const probes = [...text.matchAll(/command: \[(\/swtpm, ping.*)\]/g)].map(([, words]) =>
    words!.split(/, (?=\D)/).map((word) => word.replaceAll('"', ""))
  );
  assert.equal(probes.length, 2);
  for (const probe of probes) assert.deepEqual(probe, probes[0]);
  await serves([SWTPM, ...args], probes[0]!);
});

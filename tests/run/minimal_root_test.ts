// The executable where there is nothing else: a read-only root without libtpms, OpenSSL, Deno, Node or
// /tmp, and a user without powers. What talks to the TPM there is bash alone.

import assert from "node:assert/strict";
import { freePortPair } from "../support/ports.ts";
import { said } from "./runner.ts";
import { MinimalRoot } from "./minimal_root.ts";

/** Bash functions that send a command to a TCP port and print the answer, in hexadecimal digits. */
const TALK = `
  open() { exec 3<> /dev/tcp/127.0.0.1/$1; }
  ask() { printf "$1" >&3; head -c $2 <&3 | od -An -v -tx1 | tr -d ' \\n'; echo; }
  random() { ask '\\x80\\x01\\x00\\x00\\x00\\x0c\\x00\\x00\\x01\\x7b\\x00\\x10' 28; }
`;
/** The head of a good answer to TPM2_GetRandom(16): tag, size, code, length; 16 bytes follow. */
const RANDOM = /^80010000001c00000000001[0][0-9a-f]{32}$/m;

Deno.test("minimal root: there is nothing that could help", async () => {
  const root = await MinimalRoot.get();
  const script = `
    id -u
    find / -xdev '(' -name 'libtpms*' -o -name 'libcrypto*' -o -name 'libssl*' -o -name deno \\
      -o -name node ')' -print 2> /dev/null
    ls -d /tmp 2> /dev/null
    touch /anything /usr/local/bin/swtpm /dev/shm/anything 2> /dev/null && echo writable
    exit 0`;
  const outcome = await root.run(["bash", "-c", script]);
  assert.equal(outcome.stdout, "65534\n", said(outcome));
});

Deno.test("minimal root: swtpm run serves TPM commands", async () => {
  const root = await MinimalRoot.get();
  const script = `${TALK} open $SWTPM_PORT; random; random; exit 3`;
  const outcome = await root.run(["swtpm", "run", "--", "bash", "-ec", script]);
  assert.equal(outcome.code, 3, said(outcome));
  const answers = outcome.stdout.trimEnd().split("\n");
  assert.equal(answers.length, 2);
  for (const answer of answers) assert.match(answer, RANDOM);
  assert.notEqual(answers[0], answers[1]);
  assert.match(outcome.stderr, /TCP ports take the place of Unix sockets/);
});

Deno.test("minimal root: swtpm run with a TPM 1.2", async () => {
  const root = await MinimalRoot.get();
  // TPM_GetTicks: tag 00c1, answer of 42 bytes with code 0.
  const ticks = `ask '\\x00\\xc1\\x00\\x00\\x00\\x0a\\x00\\x00\\x00\\xf1' 42`;
  const script = `${TALK} open $SWTPM_PORT; ${ticks}`;
  const words = ["swtpm", "run", "--tpm12", "--tcp", "--", "bash", "-ec", script];
  const outcome = await root.run(words);
  assert.match(outcome.stdout, /^00c40000002a00000000/, said(outcome));
});

Deno.test("minimal root: swtpm run uses a folder where there is one", async () => {
  const root = await MinimalRoot.get();
  const words = ["swtpm", "run", "--", "bash", "-ec", 'stat -c %F "$SWTPM_SOCK"; echo $TCTI'];
  const outcome = await root.run(words, { state: true, env: { XDG_RUNTIME_DIR: "/state" } });
  assert.match(outcome.stdout, /^socket\nswtpm:path=\/state\/swtpm-[^/]+\/sock\n$/, said(outcome));
  assert.equal(outcome.stderr, "");
});

for (const state of ["dir=/state", "backend-uri=memory://"]) {
  Deno.test(`minimal root: swtpm socket with ${state}`, async () => {
    const root = await MinimalRoot.get();
    const port = freePortPair();
    const script = `${TALK}
      swtpm socket --tpm2 --tpmstate ${state} --flags startup-clear \\
        --server type=tcp,port=${port} --ctrl type=tcp,port=${port + 1} &
      swtpm=$!
      until open ${port} 2> /dev/null; do kill -0 $swtpm; sleep 0.01; done
      random
      kill $swtpm
      wait $swtpm
      ls /state`;
    const outcome = await root.run(["bash", "-ec", script], { state: state.startsWith("dir=") });
    assert.equal(outcome.code, 0, said(outcome));
    assert.match(outcome.stdout, RANDOM);
    const files = outcome.stdout.split("\n").slice(1).join(" ").trim();
    assert.equal(files, state.startsWith("dir=") ? "tpm2-00.permall" : "");
  });
}

Deno.test("minimal root: the system's libtpms is missed where it is insisted on", async () => {
  const root = await MinimalRoot.get();
  const refused = await root.run(["swtpm", "run", "--libtpms", "system", "--", "true"]);
  assert.equal(refused.code, 125, said(refused));
  assert.match(refused.stderr, /'libtpms\.so\.0'.*\n.*apt-get install libtpms0/);
  const socket = ["swtpm", "socket", "--tpm2", "--print-capabilities"];
  const missed = await root.run(socket, { env: { SWTPM_LIBTPMS: "system" } });
  assert.equal(missed.code, 1, said(missed));
  const found = await root.run(socket);
  assert.match(found.stdout, /"tpm-2\.0"/, said(found));
});

Deno.test("minimal root: the doctor on a machine without libtpms", async () => {
  const root = await MinimalRoot.get();
  const inside = await root.run(["swtpm", "doctor"]);
  assert.equal(inside.code, 0, said(inside));
  assert.match(
    inside.stdout,
    /^(warn|ok) +libtpms +(none on this machine: )?[\d.]+, the one inside this program, TPM 1\.2 and TPM 2/m,
  );
  assert.match(inside.stdout, /^ok +OpenSSL +OpenSSL \d/m);
  assert.match(inside.stdout, /^warn +sockets +no folder for the sockets of 'swtpm run'/m);
  assert.match(inside.stdout, /^ok +trial +'swtpm run' started a TPM 2 in \d+ ms$/m);
  const none = await root.run(["swtpm", "doctor", "--libtpms", "system"]);
  assert.equal(none.code, 1, said(none));
  assert.match(none.stdout, /^fail +libtpms +.*libtpms\.so\.0.*\n +-> install libtpms: 'apt-get/m);
});

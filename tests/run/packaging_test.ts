// The files that bring the program to others: what the Dockerfile starts, run in a root as bare as its
// image; what the GitHub Action does, run as a workflow would.

import assert from "node:assert/strict";
import { DENO_VERSION } from "../../scripts/checkout.ts";
import { octal } from "../devices/bytes.ts";
import { hex } from "../support/bytes.ts";
import { run } from "../support/process.ts";
import { checkoutPath, plainProgram } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { tpm2 } from "../support/tpm2.ts";
import { MinimalRoot } from "./minimal_root.ts";
import { Runner, said } from "./runner.ts";

/** What stands behind an instruction of a Dockerfile, its continued lines joined. */
function instruction(dockerfile: string, name: string): string {
  const line = "[^\\\\\\n]*";
  const found = new RegExp(`^${name} (${line}(?:\\\\\\n${line})*)$`, "m").exec(dockerfile)?.[1];
  assert.ok(found !== undefined, `no ${name} in the Dockerfile`);
  return found.replaceAll("\\\n", "");
}

Deno.test("Dockerfile: its command serves a TPM, as its user", async () => {
  const dockerfile = await Deno.readTextFile(checkoutPath("Dockerfile"));
  assert.equal(instruction(dockerfile, "USER"), "65534:65534");
  assert.equal(instruction(dockerfile, "COPY"), "dist/swtpm /usr/local/bin/swtpm");
  const words: string[] = [
    ...JSON.parse(instruction(dockerfile, "ENTRYPOINT")),
    ...JSON.parse(instruction(dockerfile, "CMD")),
  ];
  const [data] = instruction(dockerfile, "EXPOSE").split(" ");
  const root = await MinimalRoot.get();
  const script = `
    "$@" & swtpm=$!
    until exec 3<> /dev/tcp/127.0.0.1/${data}; do kill -0 $swtpm; sleep 0.01; done 2> /dev/null
    printf '${octal(hex(tpm2.getRandom(4)))}' >&3
    head -c 10 <&3 | od -An -v -tx1
    kill $swtpm
    wait $swtpm`;
  const outcome = await root.run(["bash", "-ec", script, "bash", ...words], { network: true });
  assert.equal(outcome.code, 0, said(outcome));
  assert.equal(outcome.stdout.trim(), "80 01 00 00 00 10 00 00 00 00");
});

/** The script of a step of a composite action. */
function scriptOf(action: string, step: string): string {
  const at = action.indexOf(`- name: ${step}\n`);
  assert.ok(at >= 0, `action.yml has no step "${step}"`);
  const block = /\n +run: \|\n((?: {8}.*\n)+)/.exec(action.slice(at))?.[1];
  assert.ok(block !== undefined, `the step "${step}" runs nothing`);
  return block.replaceAll(/^ {8}/gm, "");
}

/** How GitHub runs a script with `shell: bash`. */
const BASH = plainProgram("bash", "/bin/bash");
const BASH_OPTIONS = ["--noprofile", "--norc", "-eo", "pipefail", "-c"];

Deno.test("action.yml: libtpms is installed where there is none, and only there", async () => {
  await using folder = new TempDir();
  const action = await Deno.readTextFile(checkoutPath("action.yml"));
  const script = scriptOf(action, "Install libtpms");
  const asked = folder.join("asked");
  await Deno.writeTextFile(folder.join("sudo"), `#!/bin/sh\necho "$@" >> '${asked}'\n`, {
    mode: 0o755,
  });
  await Deno.writeTextFile(folder.join("ldconfig"), "#!/bin/sh\n", { mode: 0o755 });
  const install = async (script: string) => {
    const env = { PATH: `${folder.path}:${Deno.env.get("PATH")}` };
    const outcome = await run(BASH, [...BASH_OPTIONS, script], { env });
    assert.equal(outcome.code, 0, said(outcome));
    return await Deno.readTextFile(asked).catch(() => "");
  };
  assert.equal(await install(script), "", "this machine has one");
  assert.ok(script.includes("/sbin/ldconfig"));
  assert.equal(
    await install(script.replace("/sbin/ldconfig", "ldconfig")),
    "apt-get update\napt-get install --yes --no-install-recommends libtpms0\n",
  );
});

Deno.test("action.yml: its steps leave a TPM in the environment of the next ones", async () => {
  await using runner = new Runner();
  await using folder = new TempDir();
  const action = await Deno.readTextFile(checkoutPath("action.yml"));
  assert.ok(
    scriptOf(action, "Build swtpm").includes(`npx --yes deno@${DENO_VERSION} task build\n`),
  );

  const files = { GITHUB_ENV: folder.join("env"), GITHUB_OUTPUT: folder.join("output") };
  const start = await run(BASH, [...BASH_OPTIONS, scriptOf(action, "Start the TPM")], {
    env: {
      ...files,
      GITHUB_ACTION_PATH: checkoutPath(),
      OPTIONS: "--tcp",
      XDG_RUNTIME_DIR: runner.folder,
    },
  });
  assert.equal(start.code, 0, said(start));
  const lines = (await Deno.readTextFile(files.GITHUB_ENV)).trimEnd().split("\n");
  const env = Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2)));
  assert.equal(await Deno.readTextFile(files.GITHUB_OUTPUT), `tcti=${env.TPM2TOOLS_TCTI}\n`);
  const client = await run(BASH, [...BASH_OPTIONS, "tpm2_getrandom --hex 4"], { env });
  assert.match(client.stdout, /^[0-9a-f]{8}$/, said(client));
  const stopped = await runner.swtpm(["stop"], { env });
  assert.equal(stopped.code, 0, said(stopped));
  await runner.nothingLeft();
});

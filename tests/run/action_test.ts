// What the GitHub Action does, run as a workflow would: with releases of a server on this machine, good,
// damaged and missing; from a checkout that is none; and the TPM that its steps leave to the next ones.

import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { DENO_VERSION } from "../../scripts/checkout.ts";
import { sha256 } from "../../scripts/release/parts.ts";
import { type Outcome, run } from "../support/process.ts";
import { checkoutPath, plainProgram, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { Runner, said } from "./runner.ts";

/** The script of a step of a composite action. */
function scriptOf(action: string, step: string): string {
  const at = action.indexOf(`- name: ${step}\n`);
  assert.ok(at >= 0, `action.yml has no step "${step}"`);
  const block = /\n +run: \|\n((?: {8}.*\n)+)/.exec(action.slice(at))?.[1];
  assert.ok(block !== undefined, `the step "${step}" runs nothing`);
  return block.replaceAll(/^ {8}/gm, "");
}

const action = Deno.readTextFileSync(checkoutPath("action.yml"));
const INSTALL = scriptOf(action, "Install swtpm");

/** How GitHub runs a script with `shell: bash`. */
const BASH = plainProgram("bash", "/bin/bash");
const BASH_OPTIONS = ["--noprofile", "--norc", "-eo", "pipefail", "-c"];
const INSTALL_MS = 120_000;

const NAME = `swtpm-linux-${Deno.build.arch === "x86_64" ? "x64" : "arm64"}.gz`;
const VERSION = "v9.8.7";

/** Releases as a server has them: the files of one, by name. */
class Releases implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly asked: string[] = [];

  constructor(files: Readonly<Record<string, Uint8Array<ArrayBuffer> | string>>) {
    const options = { hostname: "127.0.0.1", port: 0, onListen() {} };
    this.#server = Deno.serve(options, ({ url }) => {
      const { pathname } = new URL(url);
      this.asked.push(pathname);
      const file = files[pathname.slice(`/${VERSION}/`.length)];
      return pathname.startsWith(`/${VERSION}/`) && file !== undefined
        ? new Response(file)
        : new Response("Not Found", { status: 404 });
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** Runs the step that installs, with a runner's folders in `folder`. */
async function install(
  folder: TempDir,
  env: Readonly<Record<string, string>>,
  actionPath = checkoutPath(),
): Promise<Outcome> {
  return await run(BASH, [...BASH_OPTIONS, INSTALL], {
    env: {
      GITHUB_ACTION_PATH: actionPath,
      GITHUB_PATH: folder.join("path"),
      RUNNER_TEMP: folder.path,
      VERSION: "",
      ACTION_REF: "",
      ...env,
    },
    timeoutMs: INSTALL_MS,
  });
}

let packed: Uint8Array<ArrayBuffer> | undefined;
function packedProgram(): Uint8Array<ArrayBuffer> {
  packed ??= new Uint8Array(
    gzipSync(Deno.readFileSync(programUnderTest().command), { level: 1 }),
  );
  return packed;
}

Deno.test("action.yml: the release that its ref or its input names, under all names", async () => {
  const sums = `${sha256(packedProgram())}  ${NAME}\n`;
  await using releases = new Releases({ SHA256SUMS: sums, [NAME]: packedProgram() });
  for (const named of [{ ACTION_REF: VERSION }, { VERSION: "9.8.7", ACTION_REF: "main" }]) {
    await using folder = new TempDir();
    const outcome = await install(folder, { RELEASES: releases.url, ...named });
    assert.equal(outcome.code, 0, said(outcome));
    const bin = Deno.readTextFileSync(folder.join("path")).trim();
    assert.equal(
      sha256(Deno.readFileSync(`${bin}/swtpm`)),
      sha256(Deno.readFileSync(programUnderTest().command)),
    );
    assert.match(outcome.stdout, /^TPM emulator version /);
    const tool = await run(plainProgram("swtpm_ioctl", `${bin}/swtpm_ioctl`), ["--version"]);
    assert.match(tool.stdout, /^TPM emulator control tool version /);
  }
  assert.equal(releases.asked.length, 4);
});

/** What is wrong with a release, and what is said of it. */
const refusals: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
  [
    "another file than its sums name",
    { SHA256SUMS: `${"0".repeat(64)}  ${NAME}\n`, [NAME]: "something else" },
    /::error::swtpm-linux-\w+\.gz is not the one that SHA256SUMS of v9\.8\.7 names/,
  ],
  ["sums that do not name it", { SHA256SUMS: "", [NAME]: "x" }, /::error::SHA256SUMS .* not name/],
  [
    "one that is not there",
    {},
    /::error::the release v9\.8\.7 cannot be had: http.*\/v9\.8\.7\/SHA256SUMS/,
  ],
];

for (const [name, files, message] of refusals) {
  Deno.test(`action.yml: ${name}`, async () => {
    await using releases = new Releases(files);
    await using folder = new TempDir();
    const outcome = await install(folder, { RELEASES: releases.url, ACTION_REF: VERSION });
    assert.equal(outcome.code, 1, said(outcome));
    assert.match(outcome.stdout, message);
    assert.throws(() => Deno.statSync(folder.join("path")), Deno.errors.NotFound);
    assert.throws(() => Deno.statSync(folder.join("swtpm/bin/swtpm")), Deno.errors.NotFound);
  });
}

Deno.test("action.yml: words that are no version", async () => {
  await using folder = new TempDir();
  const outcome = await install(folder, { RELEASES: "http://127.0.0.1:1", VERSION: "latest" });
  assert.equal(outcome.code, 1);
  assert.match(outcome.stdout, /::error::'latest' is no version; one looks like v0\.11\.0/);
});

Deno.test("action.yml: a checkout that is no release builds, with a libtpms if there is none", async () => {
  for (const hasLibtpms of [true, false]) {
    await using folder = new TempDir();
    const checkout = folder.join("checkout");
    const asked = folder.join("asked");
    await Deno.mkdir(`${checkout}/scripts/action`, { recursive: true });
    await Deno.mkdir(`${checkout}/dist`);
    await Deno.symlink(programUnderTest().command, `${checkout}/dist/swtpm`);
    const script = Deno.readTextFileSync(checkoutPath("scripts", "action", "install.sh"));
    const path = `${checkout}/scripts/action/install.sh`;
    await Deno.writeTextFile(path, script.replace("/sbin/ldconfig", "ldconfig"), { mode: 0o755 });
    const listed = hasLibtpms ? "echo libtpms.so.0" : ":";
    const stubs = { sudo: 'echo "sudo $@"', npx: 'echo "npx $@"', ldconfig: listed };
    for (const [name, does] of Object.entries(stubs)) {
      const to = name === "ldconfig" ? "" : ` >> '${asked}'`;
      await Deno.writeTextFile(folder.join(name), `#!/bin/sh\n${does}${to}\n`, { mode: 0o755 });
    }
    const env = { PATH: `${folder.path}:${Deno.env.get("PATH")}`, ACTION_REF: "main" };
    const outcome = await install(folder, env, checkout);
    assert.equal(outcome.code, 0, said(outcome));
    const installing = hasLibtpms
      ? ""
      : "sudo apt-get update\nsudo apt-get install --yes --no-install-recommends libtpms0\n";
    assert.equal(
      Deno.readTextFileSync(asked),
      `${installing}npx --yes deno@${DENO_VERSION} task build\n`,
    );
    assert.ok(Deno.readTextFileSync(folder.join("path")).trim().endsWith("/bin"));
  }
});

Deno.test("action.yml: its steps leave a TPM in the environment of the next ones", async () => {
  await using runner = new Runner();
  await using folder = new TempDir();
  await Deno.symlink(programUnderTest().command, folder.join("swtpm"));
  const files = { GITHUB_ENV: folder.join("env"), GITHUB_OUTPUT: folder.join("output") };
  const start = await run(BASH, [...BASH_OPTIONS, scriptOf(action, "Start the TPM")], {
    env: {
      ...files,
      PATH: `${folder.path}:${Deno.env.get("PATH")}`,
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

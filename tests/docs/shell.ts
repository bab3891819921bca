// The lines of a page, run one after the other by one bash in a fresh folder, as a reader would: with
// `swtpm` and its tools in the PATH, and a home of its own. What is different is said here.

import assert from "node:assert/strict";
import { processesOf } from "../run/runner.ts";
import { checkoutPath, plainProgram, programUnderTest } from "../support/programs.ts";
import { run } from "../support/process.ts";
import { TempDir } from "../support/temp_dir.ts";
import { waitUntil } from "../support/wait.ts";
import type { Fence } from "./page.ts";

const PAGE_MS = 300_000;

/** Ports that pages name; others of the machine may have them. */
const PORTS = [2321, 2322];

/** What stands for a program in the PATH, by its name. */
const STAND_INS: Readonly<Record<string, string>> = {
  // Whatever project it is, its tests find the TPM.
  make: 'echo "$1: $(tpm2_getrandom --hex 4)"',
  // The real one, without a display, much memory or KVM: it says what TPM it has, and ends.
  "qemu-system-x86_64": 'words=(); for word; do words+=("${word/#kvm/tcg}"); done\n' +
    "printf 'info tpm\\nquit\\n' | exec /usr/bin/qemu-system-x86_64 \"${words[@]}\" " +
    "-m 64 -display none -S -monitor stdio",
};

/** What the blocks before printed does not have of `wanted`; `…` stands for anything in a line. */
export function missingIn(printed: string, wanted: string): string | undefined {
  const lines = printed.split("\n").map((line) => line.trim());
  let from = 0;
  for (const line of wanted.trim().split("\n")) {
    const quoted = line.trim().split("…").map((part) =>
      part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")
    );
    const pattern = new RegExp(`^${quoted.join(".*")}$`);
    const at = lines.findIndex((found, at) => at >= from && pattern.test(found));
    if (at < 0) return line;
    from = at + 1;
  }
  return undefined;
}

/** Runs what is to be run of a page, in order; fails where a block does not do what the page says. */
export async function runPage(path: string, fences: readonly Fence[]): Promise<void> {
  await using room = new Room();
  const script: string[] = ["exec > ../printed 2>&1"];
  for (const [at, { text, check }] of fences.entries()) {
    if (check.kind === "file") Deno.writeTextFileSync(room.script(`file-${at}`), text);
    script.push(`printf '\\036'`);
    if (check.kind === "file") script.push(`cp ../file-${at} '${check.name}'`);
    if (check.kind !== "run") continue;
    script.push(
      check.code === 0
        ? `set -e\n${text}\nset +e`
        : `( set -e\n${text}\n); code=$?; [ $code = ${check.code} ] || exit 1`,
    );
  }
  const outcome = await room.bash(script.join("\n"));
  const printed = room.printed().split("\x1e").slice(1);
  const last = fences[printed.length - 1];
  assert.equal(
    outcome.code,
    0,
    `${path}:${last?.line}: the page's lines failed\n${printed.at(-1)}`,
  );
  let said = "";
  for (const [at, { line, text, check }] of fences.entries()) {
    if (check.kind === "run") said = printed[at] ?? "";
    if (check.kind !== "prints") continue;
    const missing = missingIn(said, text);
    assert.equal(missing, undefined, `${path}:${line}: not printed: ${missing}\n${said}`);
  }
  await room.quiet(path);
}

/** A fresh folder with what a reader has. */
export class Room implements AsyncDisposable {
  readonly #folder = new TempDir("swtpm-page-");

  constructor() {
    for (const name of ["bin", "home", "run", "work", "config"]) Deno.mkdirSync(this.script(name));
    Deno.symlinkSync(checkoutPath("examples"), this.script("work/examples"));
    const program = programUnderTest().command;
    Deno.symlinkSync(program, this.script("bin/swtpm"));
    for (const name of ["setup", "localca", "cert", "ioctl", "bios"]) {
      Deno.symlinkSync(program, this.script(`bin/swtpm_${name}`));
    }
    for (const [name, text] of Object.entries(STAND_INS)) {
      Deno.writeTextFileSync(this.script(`bin/${name}`), `#!/bin/bash\n${text}\n`, { mode: 0o755 });
    }
    // An authority of its own, whatever is in /etc.
    const state = this.script("home/authority");
    Deno.writeTextFileSync(
      this.script("config/swtpm-localca.conf"),
      `statedir = ${state}\nsigningkey = ${state}/signkey.pem\n` +
        `issuercert = ${state}/issuercert.pem\ncertserial = ${state}/certserial\n`,
    );
    Deno.writeTextFileSync(
      this.script("config/swtpm_setup.conf"),
      `create_certs_tool = swtpm_localca\ncreate_certs_tool_config = ${
        this.script("config/swtpm-localca.conf")
      }\n`,
    );
  }

  /** Path of something beside the reader's folder. */
  script(name: string): string {
    return this.#folder.join(name);
  }

  printed(): string {
    return Deno.readTextFileSync(this.script("printed"));
  }

  async bash(script: string, variables: Readonly<Record<string, string>> = {}) {
    const ports = freePorts();
    const text = PORTS.reduce(
      (text, port, at) => text.replaceAll(`${port}`, `${ports + at}`),
      script,
    );
    Deno.writeTextFileSync(this.script("script"), text);
    return await run(plainProgram("bash", "/bin/bash"), ["../script"], {
      cwd: this.script("work"),
      env: {
        PATH: `${this.script("bin")}:${Deno.env.get("PATH")}`,
        HOME: this.script("home"),
        XDG_RUNTIME_DIR: this.script("run"),
        XDG_CONFIG_HOME: this.script("config"),
        ...variables,
      },
      timeoutMs: PAGE_MS,
    });
  }

  /** Fails unless everything that was started has ended. */
  async quiet(path: string): Promise<void> {
    await waitUntil(
      `${path}: the end of what its lines have started`,
      () => this.#processes().length === 0,
    );
    assert.deepEqual([...Deno.readDirSync(this.script("run"))], [], `${path}: sockets are left`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pid of this.#processes()) Deno.kill(pid, "SIGKILL");
    await waitUntil("the end of what was killed", () => this.#processes().length === 0);
    await this.#folder[Symbol.asyncDispose]();
  }

  #processes(): number[] {
    return processesOf(this.#folder.path);
  }
}

/** The first of two neighbouring ports that are free. */
function freePorts(): number {
  for (;;) {
    using one = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = one.addr as Deno.NetAddr;
    try {
      using _next = Deno.listen({ hostname: "127.0.0.1", port: port + 1 });
      return port;
    } catch {
      // The neighbour is taken: another pair.
    }
  }
}

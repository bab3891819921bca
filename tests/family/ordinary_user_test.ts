// swtpm_setup with certificates for an ordinary user on a machine that has configured nothing, with
// more or less of a home and a file system that is read-only but for some folders: it works, or it
// says in one sentence what is missing, and leaves no state behind.

import assert from "node:assert/strict";
import { exists } from "../support/exists.ts";
import { type Outcome, run } from "../support/process.ts";
import { plainProgram } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { ok } from "./bench.ts";
import { linksIn } from "./links.ts";

const SETUP_MS = 120_000;
/** Nobody that /etc/passwd knows. */
const USER = 4711;
const KEYS = ["--tpm2", "--create-ek-cert", "--create-platform-cert", "--lock-nvram"];

/** What a user's machine is like. */
interface Situation {
  readonly env: Readonly<Record<string, string>>;
  /** A line of /etc/passwd. */
  readonly passwd?: string;
  /** Folders that can be written to where the rest cannot; undefined where all can. */
  readonly writable?: readonly string[];
}

/** A folder of an ordinary user's, with a place for the state and homes of several kinds. */
class Room implements AsyncDisposable {
  private constructor(readonly folder: TempDir, private readonly command: string) {}

  static async make(): Promise<Room> {
    const folder = new TempDir();
    const link = await linksIn(folder);
    for (const name of ["state", "home", "empty", "closed", "states"]) {
      Deno.mkdirSync(folder.join(name));
      if (name !== "closed") Deno.chownSync(folder.join(name), USER, USER);
    }
    Deno.chmodSync(folder.path, 0o755);
    return new Room(folder, link("swtpm_setup").command);
  }

  get permall(): string {
    return this.folder.join("state/tpm2-00.permall");
  }

  /** Runs swtpm_setup in there, without the machine's /etc. */
  async setup({ env, passwd, writable }: Situation): Promise<Outcome> {
    const script = [
      "set -e",
      "mount -t tmpfs none /etc",
      passwd === undefined ? "" : `echo '${passwd}' >/etc/passwd`,
      ...(writable ?? []).map((path) => `mount --bind '${path}' '${path}'`),
      // Every mount there is, so that nothing else can be written to.
      writable === undefined
        ? ""
        : `cut -d' ' -f5 /proc/self/mountinfo | grep -vxF ${
          writable.map((path) => `-e '${path}'`).join(" ")
        } | grep -vE '^/(dev|proc|sys)(/|$)' | while read -r at; do ` +
          `mount -o remount,bind,ro "$at"; done`,
      `exec setpriv --reuid ${USER} --regid ${USER} --clear-groups --inh-caps=-all "$@"`,
    ].join("\n");
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    return await run(plainProgram("unshare", "unshare"), [
      ...["--mount", "sh", "-c", script, "sh", "env", "-i", "PATH=/usr/bin:/bin", ...variables],
      ...[this.command, "--tpm-state", this.folder.join("state"), ...KEYS],
    ], { cwd: "/", timeoutMs: SETUP_MS });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.folder[Symbol.asyncDispose]();
  }
}

/** The authority is the user's alone, in that place, and it signed what the TPM has. */
function requireAuthority(place: string): void {
  assert.equal(Deno.statSync(place).uid, USER, place);
  assert.equal(Deno.statSync(`${place}/signkey.pem`).mode! & 0o007, 0);
  assert.ok(exists(`${place}/issuercert.pem`), place);
}

Deno.test("an ordinary user who configured nothing makes a TPM with certificates [local-ca]", async (t) => {
  await using room = await Room.make();
  const { folder } = room;
  const passwd = `user:x:${USER}:${USER}::${folder.join("home")}:/bin/sh`;
  const at = (name: string) => folder.join(name);
  const WORKS: Readonly<Record<string, readonly [Situation, string]>> = {
    "a home": [{ env: { HOME: at("home") } }, "home/.local/state"],
    "a folder for states": [{ env: { HOME: at("home"), XDG_STATE_HOME: at("states") } }, "states"],
    "a folder for states without a home": [{ env: { XDG_STATE_HOME: at("states") } }, "states"],
    "a folder for states that is to be made": [
      { env: { HOME: at("closed"), XDG_STATE_HOME: at("states/new/one") } },
      "states/new/one",
    ],
    "an empty folder for states": [
      { env: { HOME: at("home"), XDG_STATE_HOME: "" } },
      "home/.local/state",
    ],
    "no HOME, but one in /etc/passwd": [{ env: {}, passwd }, "home/.local/state"],
    "an empty HOME, but one in /etc/passwd": [{ env: { HOME: "" }, passwd }, "home/.local/state"],
    "a read-only root": [
      {
        env: { HOME: at("home"), XDG_STATE_HOME: at("states") },
        writable: [at("state"), at("states")],
      },
      "states",
    ],
    "a read-only root and a home": [
      { env: { HOME: at("home") }, writable: [at("state"), at("home")] },
      "home/.local/state",
    ],
  };
  for (const [kind, [situation, states]] of Object.entries(WORKS)) {
    await t.step(kind, async () => {
      for (const name of ["state", "home", "states"]) {
        await ok("find", [at(name), "-mindepth", "1", "-delete"], "/");
      }
      const { code, stderr } = await room.setup(situation);
      assert.equal(code, 0, stderr);
      assert.equal(stderr, "");
      requireAuthority(`${at(states)}/swtpm-localca`);
      assert.equal(Deno.statSync(room.permall).uid, USER);
    });
  }
});

Deno.test("what an ordinary user lacks is said in one sentence", async (t) => {
  await using room = await Room.make();
  const { folder } = room;
  const at = (name: string) => folder.join(name);
  const LACKS: Readonly<Record<string, readonly [Situation, RegExp]>> = {
    "no home at all": [
      { env: {} },
      /no home: set HOME or XDG_STATE_HOME, or configure another place/,
    ],
    "an empty HOME": [
      { env: { HOME: "" } },
      /no home: set HOME or XDG_STATE_HOME, or configure another place/,
    ],
    "a HOME that is not there": [
      { env: { HOME: "/nonexistent" } },
      /Could not create the folder '\/nonexistent\/.local\/state\/swtpm-localca'.*Permission denied.*; set XDG_STATE_HOME to/,
    ],
    "a HOME that cannot be written to": [
      { env: { HOME: at("closed") } },
      /closed\/.local\/state\/swtpm-localca'.*Permission denied.*; set XDG_STATE_HOME to/,
    ],
    "a folder for states that cannot be written to": [
      { env: { HOME: at("home"), XDG_STATE_HOME: at("closed") } },
      /closed\/swtpm-localca'.*Permission denied.*; set XDG_STATE_HOME to/,
    ],
    "a read-only root without a folder for states": [
      { env: { HOME: at("home") }, writable: [at("state")] },
      /home\/.local\/state\/swtpm-localca'.*Read-only file system.*; set XDG_STATE_HOME to/,
    ],
    "a read-only place for the state": [
      { env: { HOME: at("home") }, writable: [at("home")] },
      /Need write rights on directory .*\/state for user 4711/,
    ],
  };
  for (const [kind, [situation, said]] of Object.entries(LACKS)) {
    await t.step(kind, async () => {
      await ok("find", [at("state"), "-mindepth", "1", "-delete"], "/");
      const { code, stderr } = await room.setup(situation);
      assert.equal(code, 1, stderr);
      const [first = "", ...rest] = stderr.trimEnd().split("\n");
      assert.match(first, said);
      assert.deepEqual(rest.filter((line) => !/^An error occurred\./.test(line)), []);
      assert.deepEqual(
        [...Deno.readDirSync(at("state"))].filter(({ name }) => name !== ".lock"),
        [],
      );
    });
  }
});

// The AppArmor profile among the examples: the parser takes it, and what the program opens while it
// starts, serves and ends is allowed by it, as far as names tell. Whether a kernel that enforces it has
// other objections is not seen here.

import assert from "node:assert/strict";
import { run } from "../support/process.ts";
import { checkoutPath, plainProgram, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";

const PROFILE = checkoutPath("examples", "apparmor.swtpm");
const SYSTEM = "/etc/apparmor.d";

Deno.test("AppArmor: the parser takes the profile", async () => {
  const parser = plainProgram("apparmor_parser", "/usr/sbin/apparmor_parser");
  const outcome = await run(parser, ["--skip-kernel-load", "--skip-cache", PROFILE]);
  // A kernel without AppArmor is no fault of the profile.
  const warnings = outcome.stderr.replace(/^Cache read\/write disabled: .*\n/, "");
  assert.deepEqual([outcome.code, outcome.stdout, warnings], [0, "", ""]);
});

/** Variables of profiles, as far as these paths have them; a later one may be made of earlier ones. */
const VARIABLES: Readonly<Record<string, string>> = {
  "@{PROC}": "/proc",
  "@{pid}": "{[0-9]*,self}",
  "@{pids}": "{[0-9]*,self}",
  "@{multiarch}": "*-linux-gnu*",
  "@{run}": "{,/var}/run",
  "@{etc_ro}": "/{usr/,}etc",
  "@{etc_rw}": "/etc",
  "@{sys}": "/sys",
};

/** The paths that may be opened, of a profile and what it includes. */
function allowed(file: string): string[] {
  return Deno.readTextFileSync(file).split("\n").flatMap((line) => {
    const included = /^ *include <(abstractions\/[^>]+)>/.exec(line)?.[1];
    if (included !== undefined) return allowed(`${SYSTEM}/${included}`);
    const path = /^ *(?:owner +)?([/@]\S*) +[a-zA-Z]+,/.exec(line)?.[1];
    if (path === undefined) return [];
    return [
      Object.entries(VARIABLES).reduce((path, [name, is]) => path.replaceAll(name, is), path),
    ];
  });
}

/** A path with `*`, `**`, `{a,b}` and `[a-b]`. */
function patternOf(path: string): RegExp {
  let depth = 0;
  const source = path.replaceAll(/\*\*|[*{},?.+^$()|]/g, (found) => {
    if (found === "**") return ".*";
    if (found === "*") return "[^/]*";
    if (found === "?") return "[^/]";
    if (found === "{") return depth++, "(?:";
    if (found === "}") return depth--, ")";
    if (found === ",") return depth > 0 ? "|" : ",";
    return `\\${found}`;
  });
  return new RegExp(`^${source}$`);
}

for (const libtpms of ["system", "embedded"]) {
  Deno.test(`AppArmor: what is opened with the ${libtpms} libtpms is allowed`, async () => {
    await using folder = new TempDir();
    const state = folder.join("state");
    Deno.mkdirSync(state);
    const trace = folder.join("trace");
    const program = programUnderTest().command;
    const words = [
      ...["-f", "-qq", "-e", "trace=open,openat,execve", "-e", "signal=none", "-o", trace, program],
      ...["socket", "--tpm2", "--libtpms", libtpms, "--tpmstate", `dir=${state}`, "--daemon"],
      ...["--pid", `file=${state}/pid`, "--log", `file=${state}/log`, "--flags", "startup-clear"],
      ...["--ctrl", `type=unixio,path=${state}/ctrl`, "--server", `type=unixio,path=${state}/sock`],
    ];
    const ends = 'until [ -S "$0" ]; do sleep 0.1; done; "$1" ioctl --unix "$0" -s';
    const ending = run(plainProgram("sh", "/bin/sh"), ["-ec", ends, `${state}/ctrl`, program]);
    // It stays until the process in the background has ended.
    const traced = await run(plainProgram("strace", "/usr/bin/strace"), words, {
      timeoutMs: 60_000,
    });
    assert.equal(traced.code, 0, traced.stderr);
    assert.equal((await ending).code, 0);

    const patterns = allowed(PROFILE).map(patternOf);
    const opened = [
      ...Deno.readTextFileSync(trace).matchAll(
        /(?:open|openat|execve)\([^"]*"([^"]+)".* = (?!-1 ENOENT)/g,
      ),
    ].map(([, path]) => path!);
    assert.ok(opened.length > 20, "little was opened");
    const named = opened.filter((path) => path.startsWith("/")).map((path) =>
      path.replace(program, "/usr/bin/swtpm").replace(state, "/var/lib/swtpm/one")
    );
    const refused = new Set(named.filter((path) => !patterns.some((each) => each.test(path))));
    // What leads to where the program and the states are, and the state directory itself.
    const folders = [program, state].flatMap((path) =>
      path.split("/").map((_, at, parts) => parts.slice(0, at + 1).join("/"))
    );
    assert.deepEqual([...refused].filter((path) => !folders.includes(path)), []);
  });
}

Deno.test("AppArmor: a path that a profile does not name is seen", () => {
  const pattern = patternOf("/usr/{,local/}bin/*.so[0-9]");
  assert.ok(pattern.test("/usr/bin/a.so1"));
  assert.ok(pattern.test("/usr/local/bin/a.so1"));
  assert.ok(!pattern.test("/usr/local/bin/b/a.so1"));
  assert.ok(!pattern.test("/usr/bin/a_so1"));
});

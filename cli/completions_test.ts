// Unit tests of the completion scripts; the one for bash is run by bash itself.
import { deepEqual, equal, ok } from "node:assert/strict";
import { completions } from "./completions.ts";
import { options } from "./options.ts";
import { toolOptions } from "./tool_options.ts";

/** What bash would offer behind these words. */
async function offered(line: string): Promise<string[]> {
  const script = `${completions("bash")}
compopt() { :; }
COMP_LINE="$1" COMP_POINT=\${#1}
_swtpm
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: ["--norc", "-c", script, "bash", line],
  }).output();
  equal(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).split("\n").filter((word) => word !== "");
}

Deno.test("bash: interfaces, options of an interface", async () => {
  deepEqual(await offered("swtpm so"), ["socket"]);
  deepEqual(await offered("swtpm socket --tp"), ["--tpmstate", "--tpm2"]);
  deepEqual(await offered("swtpm cuse --ma"), ["--maj"]);
  deepEqual(await offered("swtpm socket --ma"), []);
  deepEqual(await offered("swtpm completions z"), ["zsh"]);
});

Deno.test("bash: options of the programs beside the emulator, and what they are used on", async () => {
  deepEqual(await offered("swtpm run --ke"), ["--key", "--keep-on-failure"]);
  deepEqual(await offered("swtpm run --tpmstate di"), ["dir="]);
  deepEqual(await offered("swtpm start --git"), ["--github-env"]);
  deepEqual(await offered("swtpm doctor /us"), ["/usr"]);
  deepEqual(await offered("swtpm state s"), ["show"]);
  deepEqual(await offered("swtpm state convert --new-key fi"), ["file="]);
  deepEqual(await offered("swtpm state show /us"), ["/usr"]);
  deepEqual(await offered("swtpm state show --nv"), ["--nv"]);
  ok((await offered("swtpm run basenam")).includes("basename"));
  ok((await offered("swtpm run --tcp -- basenam")).includes("basename"));
  deepEqual(await offered("swtpm run -- ls --ke"), []);
  deepEqual(await offered("swtpm run -- ls /us"), ["/usr"]);
});

Deno.test("bash: the C project's tools, behind the first word and by their names", async () => {
  deepEqual(await offered("swtpm io"), ["ioctl"]);
  deepEqual(await offered("swtpm ioctl --s"), ["--stop", "--save"]);
  deepEqual(await offered("swtpm_ioctl --s"), ["--stop", "--save"]);
  deepEqual(await offered("/usr/bin/swtpm_bios -c"), ["-c", "-cs"]);
  deepEqual(await offered("swtpm_ioctl -c --unix /us"), ["/usr"]);
  // What follows an option depends on whose it is.
  deepEqual(await offered("swtpm_bios --tcp "), []);
  ok((await offered("swtpm run --tcp basenam")).includes("basename"));
  deepEqual(await offered("swtpm install-tools /us"), ["/usr"]);
  deepEqual(await offered("swtpm ping --ctrl type=u"), ["unixio"]);
  deepEqual(await offered("swtpm ping /us"), ["/usr"]);
});

Deno.test("bash: sub-parameters, also behind a comma and behind =", async () => {
  deepEqual(await offered("swtpm socket --ctrl ty"), ["type=unixio", "type=tcp"]);
  deepEqual(await offered("swtpm socket --ctrl type=u"), ["unixio"]);
  deepEqual(await offered("swtpm socket --ctrl type=unixio,pa"), ["unixio,path="]);
  deepEqual(await offered("swtpm socket --flags=not"), ["not-need-init"]);
  deepEqual(await offered("swtpm socket --tpm2 --seccomp action=n"), ["none"]);
});

Deno.test("bash: nothing is offered where nothing can be known", async () => {
  deepEqual(await offered("swtpm socket --port "), []);
});

for (const shell of ["bash", "zsh", "fish"]) {
  Deno.test(`${shell}: every option is in the script`, () => {
    const script = completions(shell)!;
    for (const { name } of [...options, ...toolOptions("run"), ...toolOptions("start")]) {
      ok(script.includes(shell === "fish" ? `-l ${name} ` : `--${name}`), name);
    }
  });
}

Deno.test("other shells have no script", () => {
  equal(completions("csh"), undefined);
  equal(completions(undefined), undefined);
});

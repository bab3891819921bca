// How long it takes from exec of `swtpm run` to COMMAND's first instruction, and how long the shell
// lines take that it replaces: start the C program, wait for its socket, swtpm_ioctl -i,
// tpm2_startup. Prints medians; judges nothing.
//
// Usage: deno run -A tests/run/start_time.ts

import { programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";

const ROUNDS = 20;

/** What COMMAND does first: it says what time it is, in nanoseconds. */
const NOW = ["date", "+%s%N"];

const DANCE = `
  folder=$(mktemp -d)
  swtpm socket --tpm2 --tpmstate dir=$folder --server type=unixio,path=$folder/sock \\
    --ctrl type=unixio,path=$folder/sock.ctrl 2> /dev/null &
  trap 'kill $!; wait $!; rm -r $folder' EXIT
  until [ -S $folder/sock.ctrl ]; do sleep 0.01; done
  # The path is there a moment before anybody listens.
  until swtpm_ioctl --unix $folder/sock.ctrl -i 2> /dev/null; do kill -0 $!; done
  export TPM2TOOLS_TCTI=swtpm:path=$folder/sock
  tpm2_startup -c
  ${NOW.join(" ")}`;

const swtpm = programUnderTest().command;
const ways: Readonly<Record<string, readonly string[]>> = {
  "swtpm run": [swtpm, "run", "--", ...NOW],
  "swtpm run --tcp": [swtpm, "run", "--tcp", "--", ...NOW],
  "swtpm run --libtpms embedded": [swtpm, "run", "--libtpms", "embedded", "--", ...NOW],
  "the shell lines": ["/bin/bash", "-ec", DANCE],
  "date alone": NOW,
};

/** Milliseconds from exec to the time that is printed. */
async function measure(words: readonly string[], env: Record<string, string>): Promise<number> {
  const [command, ...args] = words;
  const begin = performance.timeOrigin + performance.now();
  const { stdout, success, stderr } = await new Deno.Command(command!, { args, env }).output();
  if (!success) throw new Error(`"${command}" failed: ${new TextDecoder().decode(stderr)}`);
  return Number(new TextDecoder().decode(stdout)) / 1e6 - begin;
}

await using folder = new TempDir();
const times = new Map(Object.keys(ways).map((name) => [name, [] as number[]]));
// In turn, so that what else the machine does meets all of them.
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, words] of Object.entries(ways)) {
    times.get(name)!.push(await measure(words, { XDG_RUNTIME_DIR: folder.path }));
  }
}
for (const [name, values] of times) {
  values.sort((a, b) => a - b);
  const [best, median] = [values[0]!, values[ROUNDS / 2]!];
  console.log(`${name.padEnd(30)} median ${median.toFixed(1)} ms, best ${best.toFixed(1)} ms`);
}

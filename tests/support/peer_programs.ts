// The C programs, and ours over the newer libtpms, in the form tests start programs in. Leaves
// finding and fetching them to tests/peers/peers.ts.

import { newLibraries, type Peer, peer } from "../peers/peers.ts";
import { isSince, type PeerName } from "../peers/version.ts";
import { type Program, programUnderTest } from "./programs.ts";

/** The tools of one version of the C project that tests start. */
export type PeerTool = "swtpm" | "ioctl" | "bios" | "setup";

/** A program of one version of the C project. */
export async function peerProgram(name: PeerName, tool: PeerTool = "swtpm"): Promise<Program> {
  const found: Peer = await peer(name);
  return program(`C ${found.version}`, found[tool], found.env);
}

/** Whether the program that stands in for a version is from `first` on, `0.11` for instance. */
export async function peerIsSince(name: PeerName, first: string): Promise<boolean> {
  return isSince((await peer(name)).version, first);
}

/** The executable under test, loading libtpms 0.10 instead of the system's. */
export async function withNewLibtpms(tested: Program = programUnderTest()): Promise<Program> {
  const { prefix } = await newLibraries();
  return program(
    `${tested.name} with libtpms 0.10`,
    [...prefix, tested.command, ...tested.args],
    tested.env,
  );
}

function program(
  name: string,
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Program {
  const [command, ...args] = words;
  if (command === undefined) throw new Error(`${name} has no command line`);
  return { name, command, args, env };
}

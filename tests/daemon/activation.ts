// How a service manager starts the program: with sockets that it listens on as descriptors 3 and up,
// and LISTEN_FDS, unless it leaves that out.

import { type Program, programUnderTest } from "../support/programs.ts";

const LISTENING = `
import os, socket, sys
paths, pid, names, program = sys.argv[1].split(","), sys.argv[2], sys.argv[3], sys.argv[4:]
sockets = []
for path in paths:
    one = socket.socket(socket.AF_UNIX)
    one.bind(path)
    one.listen(128)
    sockets.append(one)
spare = [os.dup(one.fileno()) for one in sockets]
for number, one in enumerate(spare):
    os.dup2(one, 3 + number, inheritable=True)
if pid != "none":
    os.environ["LISTEN_PID"] = str(os.getpid()) if pid == "own" else pid
    os.environ["LISTEN_FDS"] = str(len(paths))
if names:
    os.environ["LISTEN_FDNAMES"] = names
os.execv(program[0], program)
`;

export interface Activation {
  /** Names of the descriptors, as LISTEN_FDNAMES has them. */
  names?: string;
  /** Whom LISTEN_PID says they are for: the program (not given), or a number; "none": no word. */
  pid?: string;
}

/** The program with a listening socket for each path, which blocks where it is accepted from. */
export function activated(
  paths: readonly string[],
  { names = "", pid = "own" }: Activation = {},
): Program {
  return {
    name: "python3",
    command: "/usr/bin/python3",
    args: ["-c", LISTENING, paths.join(","), pid, names, programUnderTest().command],
    env: {},
  };
}

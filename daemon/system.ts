// The operating system as this process sees it: opened once, handed to all that need it. What is
// opened here costs next to nothing until it is used.
import { Files } from "../ffi/files.ts";
import { Libc } from "../ffi/libc.ts";
import { Process } from "../ffi/process.ts";
import { Signals } from "../ffi/signals.ts";
import { Sockets } from "../ffi/sockets.ts";
import { Spawner } from "../ffi/spawn.ts";
import { Users } from "../ffi/users.ts";
import { openPhases, type Phases } from "./phases.ts";

export interface System {
  libc: Libc;
  files: Files;
  sockets: Sockets;
  process: Process;
  signals: Signals;
  spawner: Spawner;
  users: Users;
  /** Told when a phase of the start is over. */
  phases: Phases;
}

export function openSystem(): System {
  const phases = openPhases();
  phases.end("runtime and modules");
  const libc = new Libc();
  const signals = new Signals(libc);
  signals.survivesFileLimit();
  return {
    libc,
    files: new Files(libc),
    sockets: new Sockets(libc),
    process: new Process(libc),
    signals,
    spawner: new Spawner(libc),
    users: new Users(libc),
    phases,
  };
}

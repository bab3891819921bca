// The operating system as this process sees it: opened once, handed to all that need it.
import { Files } from "../ffi/files.ts";
import { Libc } from "../ffi/libc.ts";
import { Process } from "../ffi/process.ts";
import { Sockets } from "../ffi/sockets.ts";

export interface System {
  files: Files;
  sockets: Sockets;
  process: Process;
  libc: Libc;
}

export function openSystem(): System {
  const libc = new Libc();
  return {
    libc,
    files: new Files(libc),
    sockets: new Sockets(libc),
    process: new Process(libc),
  };
}

// What a service manager, systemd, has to do with us: it may pass listening sockets (LISTEN_FDS),
// and it is told when we serve and when we end (NOTIFY_SOCKET).
import { DatagramSocket } from "../../ffi/datagram.ts";
import { descriptorKind } from "./background.ts";
import type { DaemonConfig } from "../config.ts";
import type { System } from "../system.ts";

/** The first passed descriptor, SD_LISTEN_FDS_START of sd_listen_fds(3). */
const FIRST_PASSED = 3;
const PASSED_MAX = 16;

/** Names of a passed socket (FileDescriptorName=) that say which channel it is. */
const channelNames: Readonly<Record<string, "control" | "data">> = {
  control: "control",
  ctrl: "control",
  data: "data",
  server: "data",
};

/** Who is told what becomes of us. */
export interface Manager {
  ready(): void;
  stopping(): void;
}

/**
 * Connects to the service manager, as long as its socket is within sight; later the root may be
 * another. Without one, or where it cannot be reached, nobody is told.
 */
export function openManager({ libc }: System): Manager {
  const name = Deno.env.get("NOTIFY_SOCKET");
  let socket: DatagramSocket | undefined;
  if (name !== undefined && /^[/@]./.test(name)) {
    try {
      socket = new DatagramSocket(libc, name);
    } catch {
      // As the C program and sd_notify(3): who does not listen need not know.
    }
  }
  return {
    ready: () => socket?.send("READY=1"),
    stopping: () => socket?.send("STOPPING=1"),
  };
}

/**
 * Takes the sockets that the service manager passed to us, or to the process that started us to
 * stay in the background, for the channels that the command line leaves open: by their names, else
 * control first. A descriptor that the command line names has its purpose.
 */
export function usePassedSockets(system: System, config: DaemonConfig, starter?: number): void {
  const count = passedCount(starter);
  const names = (Deno.env.get("LISTEN_FDNAMES") ?? "").split(":");
  const named = namedDescriptors(config);
  for (let index = 0; index < count; index++) {
    const fd = FIRST_PASSED + index;
    if (named.has(fd)) continue;
    const channel = channelNames[names[index] ?? ""] ?? firstOpen(config);
    if (channel === undefined) {
      throw new Error(`no channel is left for the passed socket ${fd} (LISTEN_FDS=${count})`);
    }
    if (config[channel] !== undefined) {
      throw new Error(`the passed socket ${fd} is for the ${channel} channel, which there is`);
    }
    if (descriptorKind(system, fd) !== "socket") {
      throw new Error(`LISTEN_FDS=${count} names descriptor ${fd}, which is no open socket`);
    }
    const source = { kind: "listening", fd } as const;
    if (channel === "control") config.control = { source, terminate: false };
    else config.data = { source, disconnect: false, terminate: false };
  }
}

/** The descriptors that the command line names, for whatever purpose. */
function namedDescriptors(config: DaemonConfig): Set<number> {
  const { data, control, log, pid, key, migrationKey, profile, pcap } = config;
  const holders = [data?.source, control?.source, log, pid, profile?.source, pcap];
  const fds = holders.flatMap((holder) => holder !== undefined && "fd" in holder ? holder.fd : []);
  const keys = [key, migrationKey].flatMap((source) => [source?.fd, source?.passphraseFd]);
  return new Set([...fds, ...keys].filter((fd) => fd !== undefined));
}

/** How many sockets are meant for us. */
function passedCount(starter: number | undefined): number {
  const [pid, count] = [Deno.env.get("LISTEN_PID"), Deno.env.get("LISTEN_FDS")];
  if (pid === undefined || count === undefined) return 0;
  if (Number(pid) !== Deno.pid && Number(pid) !== starter) return 0;
  if (!/^\d+$/.test(count) || Number(count) > PASSED_MAX) {
    throw new Error(`LISTEN_FDS is '${count}'; it is a number up to ${PASSED_MAX}`);
  }
  return Number(count);
}

function firstOpen(config: DaemonConfig): "control" | "data" | undefined {
  return (["control", "data"] as const).find((channel) => config[channel] === undefined);
}

// The simulator's platform ports beside the loop: several connections at a time, as each of its clients
// has one as long as it is there. What the commands do stands in control/platform.ts.
import {
  PlatformConnection,
  type PlatformParts,
  type PlatformTurn,
} from "../../control/platform.ts";
import type { Bell } from "../../ffi/bell.ts";
import { type Poller, POLLIN, POLLOUT } from "../../ffi/poll.ts";
import type { Listener } from "../../transports/listener.ts";
import { Entrance } from "./entrance.ts";

/** Connections at a time; more wait until one is free. */
export const PLATFORM_CLIENTS_MAX = 64;

export class PlatformPort {
  readonly #entrance: Entrance;
  readonly #clients: PlatformConnection[] = [];
  #slot: number | undefined;
  #bell: Bell | undefined;

  /** `what` names it in messages: "platform port". */
  constructor(
    listener: Listener,
    private readonly what: string,
    private readonly connection: PlatformParts,
  ) {
    this.#entrance = new Entrance(listener, what, connection.report);
  }

  /** Has all that may come here ring from now on. */
  hang(bell: Bell): void {
    this.#bell = bell;
    this.#entrance.hang(bell);
    for (const { channel } of this.#clients) bell.hang(channel.fd);
  }

  watch(poller: Poller): void {
    for (const client of this.#clients) {
      const { channel, hasRoom } = client;
      client.slot = poller.add(channel.fd, channel.unsent ? POLLOUT : hasRoom ? POLLIN : 0);
    }
    const hasRoom = this.#clients.length < PLATFORM_CLIENTS_MAX;
    this.#slot = hasRoom ? this.#entrance.watch(poller) : undefined;
  }

  /** When there is something to do (performance.now()) without further bytes. */
  get due(): number {
    if (this.#clients.some((client) => client.ready)) return 0;
    return this.#entrance.pausedUntil ?? Infinity;
  }

  /** Answers what came; whether something did, or the process is to end. */
  serve(poller: Poller): "nothing" | "served" | "stop" {
    let outcome: "nothing" | "served" = "nothing";
    for (const client of this.#clients.slice()) {
      const found = client.slot !== undefined && poller.found(client.slot) !== 0;
      client.slot = undefined;
      if (!found && !client.ready) continue;
      outcome = "served";
      const turn = this.#turn(client, found);
      if (turn !== "served") this.#drop(client);
      if (turn === "stop") return "stop";
    }
    if (this.#slot === undefined || poller.found(this.#slot) === 0) return outcome;
    this.#slot = undefined;
    const channel = this.#entrance.accept();
    if (channel === undefined) return "served";
    this.#bell?.hang(channel.fd);
    this.#clients.push(new PlatformConnection(channel, this.connection));
    return "served";
  }

  /** Whatever one client brings about ends its own connection, and nothing else. */
  #turn(client: PlatformConnection, found: boolean): PlatformTurn {
    try {
      const received = found ? client.receive() : "served";
      return received === "served" ? client.serve() : received;
    } catch (error) {
      const { report } = this.connection;
      report(`Closing a connection of the ${this.what}: ${(error as Error).message}`);
      return "gone";
    }
  }

  #drop(client: PlatformConnection): void {
    client.channel.close();
    this.#clients.splice(this.#clients.indexOf(client), 1);
  }

  close(): void {
    for (const { channel } of this.#clients.splice(0)) channel.close();
  }
}

/** Several ports as one. */
export class PlatformPorts {
  constructor(private readonly ports: readonly PlatformPort[]) {}

  hang(bell: Bell): void {
    for (const port of this.ports) port.hang(bell);
  }

  watch(poller: Poller): void {
    for (const port of this.ports) port.watch(poller);
  }

  get due(): number {
    return this.ports.reduce((due, port) => Math.min(due, port.due), Infinity);
  }

  serve(poller: Poller): "nothing" | "served" | "stop" {
    let outcome: "nothing" | "served" = "nothing";
    for (const port of this.ports) {
      const served = port.serve(poller);
      if (served === "stop") return served;
      if (served === "served") outcome = served;
    }
    return outcome;
  }

  close(): void {
    for (const port of this.ports) port.close();
  }
}

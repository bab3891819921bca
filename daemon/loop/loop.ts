// The loop: waits for clients, takes one message or one control request at a time, has it answered.
// It never knows a command and never waits for the rest of a message; what a control command brings
// about reaches it as effects.
import { ControlConnection, type Turn } from "../../control/connection.ts";
import { applyEffects, type EffectTarget } from "../../control/effects.ts";
import type { Bell } from "../../ffi/bell.ts";
import { POLLIN, POLLOUT } from "../../ffi/poll.ts";
import type { Channel } from "../../transports/channel.ts";
import { DataConnection } from "./data_connection.ts";
import { DataPort } from "./data_port.ts";
import { Entrance } from "./entrance.ts";
import type { LoopParts } from "./parts.ts";
import type { Platform } from "./plans.ts";
import { Waiting } from "./waiting.ts";

/**
 * How long one client's commands are answered before others are looked at that do not ring: seldom
 * enough for the look not to be what one command in a hundred waits for.
 */
const SLICE_MS = 20;
/** The clock is read every so many commands of a slice, as in waiting.ts. A power of two. */
const CLOCK_EVERY = 4;

export class Loop {
  /** The data connections; who is served next comes first. */
  readonly #clients: DataConnection[] = [];
  readonly #dataPort: DataPort;
  /** All ways for data connections. */
  readonly #ports: readonly DataPort[];
  readonly #platform: Platform | undefined;
  #control: ControlConnection | undefined;
  readonly #controlEntrance: Entrance | undefined;
  /** Whose turn it is: what goes wrong then is its affair. */
  #served: DataConnection | ControlConnection | undefined;
  #ending = false;
  readonly #waiting: Waiting;
  /** There from the first command on. */
  #bell: Bell | undefined;
  readonly #effects: EffectTarget;

  constructor(private readonly parts: LoopParts) {
    const { data, control, simulator, tpm, report } = parts;
    this.#effects = {
      terminate: () => this.#ending = true,
      useData: (channel) => this.#connect(this.#dataPort.take(channel)),
    };
    this.#waiting = new Waiting({
      poller: parts.poller,
      timeoutMs: () => this.#timeout(),
      ended: () => this.#ending,
    });
    this.#dataPort = new DataPort(data, tpm, "data channel", report);
    const further = simulator?.ports.map(({ plan, what }) => new DataPort(plan, tpm, what, report));
    this.#ports = [this.#dataPort, ...further ?? []];
    this.#platform = simulator?.platform;
    this.#controlEntrance = control.listener &&
      new Entrance(control.listener, "control channel", report);
    if (data.channel !== undefined) this.#connect(this.#dataPort.take(data.channel));
    if (control.channel !== undefined) this.#connectControl(control.channel);
  }

  /** Whether SET_DATAFD would take the place of a data connection. */
  get hasDataConnection(): boolean {
    return this.#dataPort.isTaken;
  }

  /** Whose command runs in another thread. */
  get answering(): Channel | undefined {
    return this.#clients.find(({ answering }) => answering)?.channel;
  }

  /** Ends the loop after the message that is being served; may be called at any time. */
  end(): void {
    this.#ending = true;
    this.parts.lock.abandon();
    if (this.parts.tpm.pending !== undefined) this.parts.tpm.cancel();
    this.parts.poller.wake();
  }

  /**
   * Serves until {@linkcode end}, a control command or the loss of a connection ends it. The way of
   * a short command through a round has no `await` in it, which would cost more than the rest.
   */
  async run(): Promise<void> {
    const { poller, tpm } = this.parts;
    while (!this.#ending) {
      this.#bell?.still();
      this.#watchData();
      const controlSlot = this.#watchControl();
      this.#platform?.watch(poller);
      // While a command runs in another thread, its answer comes through the event loop.
      const here = tpm.pending === undefined && this.#bell?.signalled !== true;
      const waiting = this.#waiting.wait(here);
      if (waiting !== undefined) {
        this.#bell?.rest();
        await waiting;
      }
      if (this.#ending) break;
      const controlFound = controlSlot === undefined ? 0 : poller.found(controlSlot);
      this.#waiting.busy ||= controlFound !== 0;
      try {
        // Control goes first: it may change what a command means that came at the same time.
        if (controlFound !== 0 || this.#control?.deadline !== undefined) {
          const serving = this.#serveControl(controlFound);
          if (serving !== undefined) await serving;
          if (this.#ending) break;
        }
        if (this.#platform !== undefined && this.#servePlatform(this.#platform)) break;
        const serving = this.#serveData();
        if (serving !== undefined) await serving;
      } catch (error) {
        this.#giveUp(error);
      }
    }
    this.#bell?.rest();
    if (tpm.pending !== undefined) await tpm.pending;
    this.#control?.close();
    this.#platform?.close();
    // An answer that comes now has nobody to go to.
    for (const client of this.#clients) client.close();
    this.parts.simulator?.ended();
  }

  /** Whatever one client brings about ends its own connection, and nothing else. */
  #giveUp(error: unknown): void {
    const served = this.#served;
    if (served === undefined) throw error;
    this.parts.report(`Closing a connection: ${(error as Error).message}`);
    if (served instanceof DataConnection) this.#drop(served);
    else this.#dropControl();
  }

  /** Waits for what the data connections have, and for further ones. */
  #watchData(): void {
    const { poller, tpm } = this.parts;
    poller.clear();
    for (const client of this.#clients) {
      const { fd, unsent } = client.channel;
      client.slot = undefined;
      if (unsent) client.slot = poller.add(fd, POLLOUT);
      // Without events asked for, a hang-up is found all the same; a client that only sends no more
      // still waits for its answer. Who waits for the answer of another is not looked at.
      else if (client.answering) client.slot = poller.add(fd, 0);
      else if (tpm.pending === undefined) client.slot = poller.add(fd, POLLIN);
    }
    for (const port of this.#ports) port.watch(poller);
  }

  #watchControl(): number | undefined {
    const { poller } = this.parts;
    if (this.#control === undefined) return this.#controlEntrance?.watch(poller);
    const { channel } = this.#control;
    return poller.add(channel.fd, channel.unsent ? POLLOUT : POLLIN);
  }

  /** Milliseconds until something is due; -1 where nothing is. */
  #timeout(): number {
    let deadline = this.#control === undefined
      ? this.#controlEntrance?.pausedUntil ?? Infinity
      : this.#control.deadline ?? Infinity;
    for (const port of this.#ports) deadline = Math.min(deadline, port.pausedUntil);
    if (this.#platform !== undefined) deadline = Math.min(deadline, this.#platform.due);
    if (this.parts.tpm.pending === undefined) {
      for (const { channel, reader, answering } of this.#clients) {
        if (channel.unsent || answering) continue;
        if (reader.size > 0) return 0;
        deadline = Math.min(deadline, reader.restUntil ?? Infinity);
      }
    }
    if (deadline === Infinity) return -1;
    return Math.max(0, Math.ceil(deadline - performance.now()));
  }

  #serveControl(found: number): Promise<void> | undefined {
    const connection = this.#control;
    this.#served = connection;
    if (connection === undefined) {
      const channel = this.#controlEntrance?.accept();
      if (channel !== undefined) this.#connectControl(channel);
      return undefined;
    }
    if (connection.channel.unsent) {
      if (found !== 0 && !connection.channel.flush()) this.#dropControl();
      return undefined;
    }
    let turn: Turn | Promise<Turn> | undefined;
    if (found !== 0) turn = connection.receive();
    else if (connection.deadline !== undefined && performance.now() >= connection.deadline) {
      turn = connection.expire();
    }
    if (turn instanceof Promise) return turn.then((turn) => this.#endTurn(turn));
    if (turn !== undefined) this.#endTurn(turn);
    return undefined;
  }

  #endTurn({ effects, gone }: Turn): void {
    applyEffects(effects, this.#effects);
    if (gone) this.#dropControl();
  }

  #connectControl(channel: Channel): void {
    this.#bell?.hang(channel.fd);
    this.#control = new ControlConnection(channel, this.parts.connection);
  }

  #dropControl(): void {
    this.#control?.close();
    this.#control = undefined;
    if (this.parts.control.terminate) this.#ending = true;
  }

  /** Whether it ended the process. */
  #servePlatform(platform: Platform): boolean {
    this.#served = undefined;
    const outcome = platform.serve(this.parts.poller);
    this.#waiting.busy ||= outcome !== "nothing";
    return this.#ending ||= outcome === "stop";
  }

  /** Gives each data connection its turn, then takes new ones. */
  #serveData(): Promise<void> | undefined {
    const { poller } = this.parts;
    for (let at = 0; at < this.#clients.length;) {
      const client = this.#clients[at]!;
      const found = client.slot === undefined ? 0 : poller.found(client.slot);
      // What was found is told once, also to one that goes to the end of the row and comes again.
      client.slot = undefined;
      this.#waiting.busy ||= found !== 0;
      this.#served = client;
      const serving = this.#serveClient(client, found);
      if (serving !== undefined) return serving;
      // It may have gone, or to the end of the row.
      if (this.#clients[at] === client) at++;
    }
    this.#served = undefined;
    for (const port of this.#ports) {
      if (port.slot === undefined || poller.found(port.slot) === 0) continue;
      this.#waiting.busy = true;
      const client = port.accept();
      if (client === undefined) continue;
      this.#connect(client);
      // Whoever connects sends at once: most of the time it is faster than we have woken up.
      if (this.parts.tpm.pending !== undefined || this.#bell?.rang === true) continue;
      this.#served = client;
      const serving = this.#serveMessages(client, true);
      if (serving !== undefined) return serving;
    }
    return undefined;
  }

  #serveClient(client: DataConnection, found: number): Promise<void> | undefined {
    const { channel } = client;
    if (channel.unsent) {
      if (found !== 0 && !channel.flush()) this.#lose(client);
      else if (client.isDone) this.#drop(client);
      return undefined;
    }
    if (client.answering) {
      if (found !== 0) this.#lose(client);
      return undefined;
    }
    if (this.parts.tpm.pending !== undefined) return undefined;
    return this.#serveMessages(client, found !== 0);
  }

  #connect(client: DataConnection): void {
    this.#clients.push(client);
    this.parts.connected?.(client);
  }

  /** Has all ring that may come while a client is waited for in its channel. */
  #hangBell(): Bell {
    const bell = this.parts.bell();
    for (const port of this.#ports) port.hang(bell);
    this.#controlEntrance?.hang(bell);
    if (this.#control !== undefined) bell.hang(this.#control.channel.fd);
    this.#platform?.hang(bell);
    return bell;
  }

  /**
   * Answers messages as long as they come fast, and no longer than a slice of time; only one when
   * there are other clients.
   */
  #serveMessages(client: DataConnection, readable: boolean): Promise<void> | undefined {
    const { lock, spin } = this.parts;
    const bell = this.#bell ??= this.#hangBell();
    const { channel, reader } = client;
    if (reader.size === 0) {
      let outcome = readable ? reader.receive(channel) : "nothing";
      if (outcome === "nothing" || outcome === "partial") outcome = reader.expire(channel);
      if (outcome === "gone") this.#lose(client);
      if (outcome !== "message") return undefined;
    }
    const locking = lock.ensure();
    if (locking !== undefined) return this.#locked(locking);
    let end = Infinity;
    for (let served = 1;; served++) {
      if (!this.#answer(client) || !channel.neverWaits || this.#clients.length > 1) {
        return undefined;
      }
      if (served % CLOCK_EVERY === 0) {
        const now = performance.now();
        if (now > end) {
          bell.renew();
          return undefined;
        }
        if (end === Infinity) end = now + SLICE_MS;
      }
      if (reader.size > 0) continue;
      const outcome = client.next(spin, bell);
      if (outcome === "gone") this.#lose(client);
      if (outcome !== "message") return undefined;
    }
  }

  /** Waits for the lock on the storage; without it the process ends, as another one has the TPM. */
  async #locked(locking: Promise<void>): Promise<void> {
    try {
      await locking;
    } catch (error) {
      this.parts.report((error as Error).message);
      this.#ending = true;
    }
  }

  /** Has the message answered; false when the channel cannot be served further now. */
  #answer(client: DataConnection): boolean {
    const { reader, words } = client;
    try {
      // No command of a TPM 2 begins with a zero; all words do.
      const answer = words !== undefined && reader.buffer[0] === 0
        ? client.answerWord(words)
        : client.responder.process(reader.buffer, reader.size);
      if (typeof answer === "string") {
        if (answer !== "more") this.#drop(client);
        this.#ending ||= answer === "stop";
        return false;
      }
      if (answer instanceof Promise) {
        this.#answerLater(client, answer);
        return false;
      }
      reader.drop();
      return this.#send(client, answer);
    } catch (error) {
      reader.drop();
      this.parts.report((error as Error).message);
      return true;
    }
  }

  #answerLater(client: DataConnection, answer: Promise<Uint8Array<ArrayBuffer>>): void {
    client.answering = true;
    this.#clients.push(...this.#clients.splice(this.#clients.indexOf(client), 1));
    answer.then((response) => {
      // The client may have gone meanwhile.
      if (!client.answering) return;
      client.reader.drop();
      this.#send(client, response);
    }, (error) => {
      if (client.answering) client.reader.drop();
      this.parts.report((error as Error).message);
    }).finally(() => {
      client.answering = false;
      this.parts.poller.wake();
    });
  }

  /** Sends an answer; false when the connection is closed with it or cannot take more now. */
  #send(client: DataConnection, answer: Uint8Array<ArrayBuffer>): boolean {
    const { channel } = client;
    if (!channel.send(answer) || client.isDone) {
      this.#drop(client);
      return false;
    }
    return !channel.unsent;
  }

  /** The client is gone. */
  #lose(client: DataConnection): void {
    // Where several come and go, and over TCP, that is no news: nor is it to the C program.
    if (client.port.clientsMax === 1 && !client.channel.overTcp) {
      this.parts.report("The data client disconnected");
    }
    this.#drop(client);
  }

  #drop(client: DataConnection): void {
    const at = this.#clients.indexOf(client);
    if (at < 0) return;
    this.#clients.splice(at, 1);
    client.close();
    if (client.port.plan.terminate) this.#ending = true;
  }
}

// QEMU's monitor (QMP): commands, their answers, events and jobs, one at a time, each wait bounded.
// What the commands are for (snapshots, migration) is the callers' business.

import { type Evidence, within } from "./deadline.ts";
import type { LineConnection } from "./lines.ts";

const answerLimitMs = 10_000;

/** An object of QMP's JSON. */
export type QmpObject = Record<string, unknown>;

interface QmpMessage {
  QMP?: unknown;
  id?: number;
  return?: unknown;
  error?: { class: string; desc: string };
  event?: string;
  data?: QmpObject;
}

/** A monitor connection past its greeting. */
export class Qmp implements Disposable {
  readonly #line: LineConnection;
  readonly #evidence: Evidence;
  #events: QmpMessage[] = [];
  #lastId = 0;

  private constructor(line: LineConnection, evidence: Evidence) {
    this.#line = line;
    this.#evidence = evidence;
  }

  /** Reads the greeting and leaves the negotiation mode. */
  static async connect(line: LineConnection, evidence: Evidence): Promise<Qmp> {
    const qmp = new Qmp(line, evidence);
    const greeting = await within(answerLimitMs, "QMP's greeting", qmp.#message(), evidence);
    if (greeting.QMP === undefined) {
      throw new Error(`not QMP's greeting: ${JSON.stringify(greeting)}`);
    }
    await qmp.execute("qmp_capabilities");
    return qmp;
  }

  async #message(): Promise<QmpMessage> {
    const line = await this.#line.read();
    if (line === null) throw new Error(`QEMU closed its monitor\n${this.#evidence()}`);
    return JSON.parse(line);
  }

  async #answer(id: number): Promise<unknown> {
    for (;;) {
      const message = await this.#message();
      if (message.event !== undefined) this.#events.push(message);
      else if (message.id === id) {
        if (message.error) throw new Error(`QMP: ${message.error.class}: ${message.error.desc}`);
        return message.return;
      }
    }
  }

  /** Runs one command and gives what it returned; QMP's error becomes an exception. */
  async execute(command: string, args: QmpObject = {}): Promise<unknown> {
    const id = ++this.#lastId;
    await this.#line.write(JSON.stringify({ execute: command, arguments: args, id }));
    return await within(
      answerLimitMs,
      `QMP's answer to ${command}`,
      this.#answer(id),
      this.#evidence,
    );
  }

  async #nextEvent(name: string, wanted: (data: QmpObject) => boolean): Promise<QmpObject> {
    for (;;) {
      const index = this.#events.findIndex((e) => e.event === name && wanted(e.data ?? {}));
      if (index >= 0) {
        const [found] = this.#events.splice(index, 1);
        return found?.data ?? {};
      }
      const message = await this.#message();
      if (message.event !== undefined) this.#events.push(message);
    }
  }

  /** Waits for an event, one that came earlier and was not asked for yet included. */
  async event(
    name: string,
    limitMs: number,
    wanted: (data: QmpObject) => boolean = () => true,
  ): Promise<QmpObject> {
    return await within(
      limitMs,
      `QMP's event ${name}`,
      this.#nextEvent(name, wanted),
      () => `events seen: ${JSON.stringify(this.#events)}\n${this.#evidence()}`,
    );
  }

  /** Runs a command that starts a job, waits for the job's end, fails if the job failed. */
  async job(command: string, args: QmpObject, limitMs: number): Promise<void> {
    const id = `job${++this.#lastId}`;
    await this.execute(command, { ...args, "job-id": id });
    await this.event(
      "JOB_STATUS_CHANGE",
      limitMs,
      (data) => data.id === id && data.status === "concluded",
    );
    const jobs = await this.execute("query-jobs") as { id: string; error?: string }[];
    const error = jobs.find((job) => job.id === id)?.error;
    await this.execute("job-dismiss", { id });
    if (error !== undefined) throw new Error(`QMP: job ${command}: ${error}\n${this.#evidence()}`);
  }

  [Symbol.dispose](): void {
    this.#line[Symbol.dispose]();
  }
}

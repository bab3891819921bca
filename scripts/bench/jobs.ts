// What the benchmark asks of its clients, and what they answer: plain values that cross a process
// boundary as JSON. How a job is done stands in the file of its kind.

import type { Address } from "../../tests/support/client.ts";
import type { Door } from "./sockets.ts";
import type { Summary } from "./statistics.ts";

/** Where a client runs, checked by the client itself. */
interface Placed {
  /** The processors it must be bound to. */
  readonly processors: readonly number[];
}

/** One server of a {@linkcode CommandsJob}. */
export interface Side {
  readonly door: Door;
  readonly serverPid: number;
  /** A file that each command must change: shows that state is written, not only answered. */
  readonly changes?: string;
}

/**
 * Commands one after the other, each timed. The servers take turns, in swapped order every other
 * time, so that all of them see the same moods of the machine, which last for seconds.
 */
export interface CommandsJob extends Placed {
  readonly kind: "commands";
  readonly sides: readonly Side[];
  /** Sent first, untimed: hexadecimal bytes. */
  readonly preparation: readonly string[];
  /** Sent in turn. */
  readonly commands: readonly string[];
  /** Four bytes of each command at this offset take a running number, so that no two are alike. */
  readonly numberAt?: number;
  /** Commands to each server before the first turn. */
  readonly warmUp: number;
  /** How often each server has its turn. */
  readonly turns: number;
  /** Commands in a turn. */
  readonly count: number;
  /** Time between the beginnings of two commands; without it they go back to back. */
  readonly everyUs?: number;
  /** Read the servers' private memory after each turn. */
  readonly memory?: true;
}

/** What came of one side of a {@linkcode CommandsJob}. */
export interface SideResult {
  /** Microseconds from before the write to after the read, of all turns. */
  readonly latencyUs: Summary;
  /** Of all threads of the server, from the first turn to the last. */
  readonly serverCpuUsPerCommand: number;
  /** The server's private memory in KiB after each of its turns, where that was asked for. */
  readonly memoryKiB: readonly number[];
}

/** The answer to {@linkcode CommandsJob}, in the order of its sides. */
export interface CommandsResult {
  readonly sides: readonly SideResult[];
}

/** Control commands while the TPM makes RSA keys. */
export interface ControlJob extends Placed {
  readonly kind: "control";
  readonly data: Address;
  readonly control: Address;
  /** Commands that make a key each; its handle is flushed after it. */
  readonly keyCommands: readonly string[];
  /** Pause between an answer and the next control command. */
  readonly pauseUs: number;
}

/** The answer to {@linkcode ControlJob}. */
export interface ControlResult {
  /** Each control command that was sent while a key was being made. */
  readonly latencyUs: Summary;
  /** How long each key took. */
  readonly keyMs: readonly number[];
}

/** Control commands, each right after so many TPM commands, on servers that take turns. */
export interface BetweenJob extends Placed {
  readonly kind: "between";
  readonly sides: readonly { readonly data: Address; readonly control: Address }[];
  /** The TPM command. */
  readonly command: string;
  /** How many of them come before each control command. */
  readonly behind: readonly number[];
  /** Control commands of each such number before the first turn. */
  readonly warmUp: number;
  readonly turns: number;
  /** Control commands of each such number in a turn. */
  readonly count: number;
}

/** The answer to {@linkcode BetweenJob}: of each side, one summary for each number in `behind`. */
export interface BetweenResult {
  readonly sides: readonly { readonly latencyUs: readonly Summary[] }[];
}

/** Starts of the server, from before the exec to a control connection and the first TPM answer. */
export interface StartJob extends Placed {
  readonly kind: "start";
  /** Absolute path of the executable first. */
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The processors the server is bound to from its start. */
  readonly serverProcessors: readonly number[];
  readonly control: Address;
  readonly data: Address;
  /** Takes the server's standard output and standard error. */
  readonly log: string;
  readonly command: string;
  readonly commandsBeforeEnd: number;
  readonly starts: number;
}

/** The answer to {@linkcode StartJob}. */
export interface StartResult {
  /** Until the control socket took a connection. */
  readonly connectMs: readonly number[];
  /** Until the first answer. */
  readonly startMs: readonly number[];
  /** From SIGTERM to the end. */
  readonly endMs: readonly number[];
}

/** A program that is started again and again. */
export interface ExecJob extends Placed {
  readonly kind: "exec";
  /** Absolute path of the executable first. */
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly programProcessors: readonly number[];
  /** Takes its standard error. */
  readonly log: string;
  /** What ends a time: the first byte on standard output, or the end of the process. */
  readonly until: "output" | "end";
  readonly times: number;
}

/** The answer to {@linkcode ExecJob}. */
export interface ExecResult {
  readonly ms: readonly number[];
}

/** Connections with one command each, to servers that take turns. */
export interface ConnectionsJob extends Placed {
  readonly kind: "connections";
  readonly sides: readonly { readonly data: Address; readonly serverPid: number }[];
  readonly command: string;
  readonly warmUp: number;
  readonly turns: number;
  readonly count: number;
}

/** The answer to {@linkcode ConnectionsJob}, in the order of its sides. */
export interface ConnectionsResult {
  readonly sides: readonly {
    /** From before connect(2) to after close(2). */
    readonly latencyUs: Summary;
    /** Of all threads of the server, a connection. */
    readonly serverCpuUs: number;
  }[];
}

/** Two clients of a managed address with two keys each, and one that has its TPM for itself. */
export interface SwapsJob extends Placed {
  readonly kind: "swaps";
  readonly managed: Address;
  /** Where another server lets two have the TPM bare. */
  readonly bare: Address;
  /** Makes a key. */
  readonly key: string;
  readonly warmUp: number;
  readonly count: number;
}

/** The answer to {@linkcode SwapsJob}: microseconds, medians. */
export interface SwapsResult {
  /** A command whose key is wanted back, and one whose key is there. */
  readonly swapping: number;
  readonly staying: number;
  /** ContextLoad and FlushContext of such a key. */
  readonly load: number;
  readonly flush: number;
  /** A command there whose key is loaded. */
  readonly reading: number;
}

/** Anything that can be asked of a client. */
export type Job =
  | CommandsJob
  | ControlJob
  | BetweenJob
  | StartJob
  | ExecJob
  | ConnectionsJob
  | SwapsJob;

/** The answer to a job of a kind. */
export interface Results {
  readonly commands: CommandsResult;
  readonly control: ControlResult;
  readonly between: BetweenResult;
  readonly start: StartResult;
  readonly exec: ExecResult;
  readonly connections: ConnectionsResult;
  readonly swaps: SwapsResult;
}

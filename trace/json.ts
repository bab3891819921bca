// A trace as JSON: an object for each command. The names are promised: TRACE.md lists them.

import type { ControlExchange, Exchange, TraceEvent } from "./exchange.ts";
import { controlResultName } from "./control_results.ts";
import { hex } from "./hex.ts";
import type { Manner } from "./manner.ts";
import { type Half, readExchange, type ReadParameter, type ReadResult } from "./reading.ts";
import { handleJson, hiddenJson, type Json, valueJson } from "./value_json.ts";

export interface JsonOptions {
  /** Secrets are shown as they are, and with them the bytes of both messages. */
  readonly secrets: boolean;
}

/** The object of an event; what has no value is left out. */
export function traceObject(event: TraceEvent, options: JsonOptions): Json {
  switch (event.kind) {
    case "remark":
      return present({
        time: seconds(event.timeMs),
        remark: event.text,
        date: event.date?.toISOString(),
      });
    case "command":
      return exchangeObject(event, options);
    case "control":
      return controlObject(event);
  }
}

/** Seconds with microseconds. */
function seconds(ms: number): number {
  return Math.round(ms * 1000) / 1e6;
}

type Maybe = Json | undefined;

/** The object without what is undefined. */
function present(fields: Readonly<Record<string, Maybe>>): { readonly [name: string]: Json } {
  return Object.fromEntries(
    Object.entries(fields).filter((field): field is [string, Json] => field[1] !== undefined),
  );
}

function head({ timeMs, client }: Exchange | ControlExchange): Readonly<Record<string, Maybe>> {
  return {
    time: timeMs === undefined ? undefined : seconds(timeMs),
    client: client?.number,
    process: client?.process,
    pid: client?.pid,
  };
}

function durationOf({ durationMs }: Exchange | ControlExchange): Maybe {
  return durationMs === undefined ? undefined : seconds(durationMs);
}

function exchangeObject(exchange: Exchange, { secrets }: JsonOptions): Json {
  const { command, response, handleText } = readExchange(exchange.command, exchange.response);
  const manner = { secrets, handleText };
  return present({
    ...head(exchange),
    locality: exchange.locality ?? 0,
    command: command.name ?? null,
    code: command.code,
    ...halfObject(command, manner),
    bytes: secrets ? hex(exchange.command) : undefined,
    result: response === undefined ? null : response.result && resultObject(response.result),
    response: response && present({
      ...halfObject(response, manner),
      bytes: secrets ? hex(exchange.response!) : undefined,
    }),
    duration: durationOf(exchange),
  });
}

function halfObject(half: Half, manner: Manner): Readonly<Record<string, Maybe>> {
  const { fault, rest, sessions, handles, parameters } = half;
  const { secrets } = manner;
  const told = fault === undefined || secrets;
  return {
    handles: handles.map(({ name, handle, text }) => ({ name, ...handleJson(handle, text) })),
    parameters: told ? parametersObject(parameters, manner) : undefined,
    sessions: sessions.map((session) => valueJson(session, manner)),
    unreadable: fault === undefined && rest.length === 0 ? undefined : present({
      offset: fault?.place?.offset ?? 0,
      field: fault?.place?.path.join("."),
      // The reason tells what stands there.
      reason: secrets ? fault?.reason : undefined,
      rest: hiddenJson(rest, secrets),
    }),
  };
}

function parametersObject(parameters: readonly ReadParameter[], manner: Manner): Json {
  const { secrets } = manner;
  return Object.fromEntries(
    parameters.map((each) => [
      each.name,
      "encrypted" in each
        ? { encrypted: secrets ? hex(each.encrypted) : each.encrypted.length }
        : valueJson(each.shown, manner),
    ]),
  );
}

function resultObject({ code, name, meaning, position }: ReadResult): Json {
  return present({
    code,
    name,
    meaning: code === 0 ? undefined : meaning,
    [position?.of ?? "position"]: position && present({
      number: position.number,
      name: position.name,
    }),
  });
}

function controlObject(exchange: ControlExchange): Json {
  const { name, request, result, response } = exchange;
  return present({
    ...head(exchange),
    control: name,
    request,
    result: result === undefined ? null : { code: result, name: controlResultName(result) },
    response,
    duration: durationOf(exchange),
  });
}

// A trace as JSON: an object for each command. The names are promised: docs/trace.md lists them.

import type { ControlExchange, Exchange, TraceEvent } from "./exchange.ts";
import { controlResultName } from "./control_results.ts";
import { hex } from "./hex.ts";
import type { Manner } from "./manner.ts";
import {
  type Half,
  readExchange,
  type ReadHandle,
  type ReadParameter,
  type ReadResponse,
  type ReadResult,
} from "./reading.ts";
import { handleJson, hiddenJson, type Json, type JsonObject, valueJson } from "./value_json.ts";

export interface JsonOptions {
  /** Secrets are shown as they are, and with them the bytes of both messages. */
  readonly secrets: boolean;
}

/** The object of an event; what has no value is undefined, and not there when it is written. */
export function traceObject(event: TraceEvent, options: JsonOptions): JsonObject {
  switch (event.kind) {
    case "remark":
      return {
        time: seconds(event.timeMs),
        remark: event.text,
        date: event.date?.toISOString(),
      };
    case "command":
      return exchangeObject(event, options);
    case "control":
      return controlObject(event);
  }
}

/** Seconds with microseconds. */
function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 1000) / 1e6;
}

function exchangeObject(exchange: Exchange, { secrets }: JsonOptions): JsonObject {
  const { timeMs, client, locality, durationMs } = exchange;
  const { command, response, handleText } = readExchange(exchange.command, exchange.response);
  const manner = { secrets, handleText };
  const told = isTold(command, manner);
  return {
    time: seconds(timeMs),
    client: client?.number,
    process: client?.process,
    pid: client?.pid,
    locality: locality ?? 0,
    command: command.name ?? null,
    code: command.code,
    handles: command.handles.map(handleObject),
    parameters: told ? parametersObject(command.parameters, manner) : undefined,
    sessions: command.sessions.map((session) => valueJson(session, manner)),
    unreadable: unreadableObject(command, manner),
    bytes: secrets ? hex(exchange.command) : undefined,
    result: response === undefined ? null : response.result && resultObject(response.result),
    response: response && responseObject(response, exchange.response!, manner),
    duration: seconds(durationMs),
  };
}

function responseObject(response: ReadResponse, bytes: Uint8Array, manner: Manner): JsonObject {
  const told = isTold(response, manner);
  return {
    handles: response.handles.map(handleObject),
    parameters: told ? parametersObject(response.parameters, manner) : undefined,
    sessions: response.sessions.map((session) => valueJson(session, manner)),
    unreadable: unreadableObject(response, manner),
    bytes: manner.secrets ? hex(bytes) : undefined,
  };
}

function handleObject({ name, handle, text }: ReadHandle): JsonObject {
  return { name, ...handleJson(handle, text) };
}

/** Whether parameters may be told: others may be something else than they seem. */
function isTold({ fault }: Half, { secrets }: Manner): boolean {
  return fault === undefined || secrets;
}

function unreadableObject({ fault, rest }: Half, { secrets }: Manner): JsonObject | undefined {
  if (fault === undefined && rest.length === 0) return undefined;
  return {
    offset: fault?.place?.offset ?? 0,
    field: fault?.place?.path.join("."),
    // The reason tells what stands there.
    reason: secrets ? fault?.reason : undefined,
    rest: hiddenJson(rest, secrets),
  };
}

function parametersObject(parameters: readonly ReadParameter[], manner: Manner): JsonObject {
  const { secrets } = manner;
  const object: Record<string, Json> = {};
  for (const each of parameters) {
    object[each.name] = "encrypted" in each
      ? { encrypted: secrets ? hex(each.encrypted) : each.encrypted.length }
      : valueJson(each.shown, manner);
  }
  return object;
}

function resultObject({ code, name, meaning, position }: ReadResult): JsonObject {
  if (code === 0) return { code, name };
  if (position === undefined) return { code, name, meaning };
  return { code, name, meaning, [position.of]: { number: position.number, name: position.name } };
}

function controlObject(exchange: ControlExchange): JsonObject {
  const { timeMs, client, name, request, result, response, durationMs } = exchange;
  return {
    time: seconds(timeMs),
    client: client?.number,
    process: client?.process,
    pid: client?.pid,
    control: name,
    request,
    result: result === undefined ? null : { code: result, name: controlResultName(result) },
    response,
    duration: seconds(durationMs),
  };
}

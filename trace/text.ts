// A trace as text: a line for each command, as strace(1) writes one for each call of the kernel.

import type { Shown } from "../tcg/kernel/shown.ts";
import { TPM_RH } from "../tcg/tpm2/constants.ts";
import type {
  Client,
  ControlExchange,
  ControlValues,
  Exchange,
  Remark,
  TraceEvent,
} from "./exchange.ts";
import { controlResultName } from "./control_results.ts";
import { hex, printable, sizeText } from "./hex.ts";
import type { Manner } from "./manner.ts";
import {
  type Half,
  readExchange,
  type ReadParameter,
  type ReadResponse,
  type ReadResult,
} from "./reading.ts";
import { fieldsText, isEmpty, valueText } from "./value_text.ts";

/** How parts of a line are marked. */
export interface Palette {
  readonly aside: (text: string) => string;
  readonly name: (text: string) => string;
  readonly warning: (text: string) => string;
  readonly failure: (text: string) => string;
}

const same = (text: string) => text;
/** No marks. */
export const PLAIN: Palette = { aside: same, name: same, warning: same, failure: same };

const colour = (code: number) => (text: string) => `\x1b[${code}m${text}\x1b[0m`;
/** Colours of a terminal. */
export const COLOURS: Palette = {
  aside: colour(2),
  name: colour(1),
  warning: colour(33),
  failure: colour(31),
};

export interface TextOptions {
  /** Secrets are shown as they are. */
  readonly secrets: boolean;
  readonly palette: Palette;
}

/** The line of an event, without its end. */
export function textLine(event: TraceEvent, options: TextOptions): string {
  const { palette } = options;
  const time = event.timeMs === undefined ? "" : `${palette.aside(seconds(event.timeMs))} `;
  switch (event.kind) {
    case "remark":
      return `${time}${palette.aside(remarkText(event))}`;
    case "command":
      return `${time}${palette.aside(whoText(event))} ${exchangeText(event, options)}`;
    case "control":
      return `${time}${palette.aside(clientText("ctrl", event.client))} ${
        controlText(event, palette)
      }`;
  }
}

function remarkText({ text, date }: Remark): string {
  return `# ${printable(text)}${date === undefined ? "" : `, ${date.toISOString()}`}`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(6);
}

function durationText(ms: number | undefined, { aside }: Palette): string {
  return ms === undefined ? "" : ` ${aside(`<${seconds(ms)}>`)}`;
}

/** "#1 tpm2_getrandom L0" */
function whoText({ client, locality }: Exchange): string {
  const who = client === undefined ? "" : `${clientText(`#${client.number}`, client)} `;
  return `${who}L${locality ?? 0}`;
}

/** The name is one word: whoever gives it to himself must not write the rest of the line with it. */
function clientText(which: string, client: Client | undefined): string {
  if (client?.process === undefined) return which;
  return `${which} ${printable(client.process).replaceAll(" ", "\\x20")}`;
}

function exchangeText(exchange: Exchange, options: TextOptions): string {
  const { palette, secrets } = options;
  const { command, response, handleText } = readExchange(exchange.command, exchange.response);
  const manner = { secrets, handleText };
  const words = command.name === undefined
    ? `${palette.name("no command")} ${restText(command.rest, secrets)}`
    : `${palette.name(command.name)}(${argumentsText(command, manner)})`;
  const sessions = command.sessions.map((session) => ` [${sessionText(session, manner)}]`);
  return `${words}${sessions.join("")} = ${responseText(response, manner, palette)}` +
    durationText(exchange.durationMs, palette);
}

/** Handles by their meaning, then parameters by their names. */
function argumentsText(command: Half, manner: Manner): string {
  return [...command.handles.map(({ text }) => text), ...partsText(command, manner)].join(", ");
}

/** The parameters, or what stands in the way of reading them. */
function partsText(half: Half, manner: Manner): string[] {
  const { fault, rest, parameters } = half;
  if (fault === undefined) return parameters.flatMap((each) => parameterText(each, manner));
  // What cannot be read to its end may have been something else from its beginning: a password that
  // was taken for numbers. Nor does the reason tell what stands there.
  if (manner.secrets) {
    const read = parameters.flatMap((each) => parameterText(each, manner));
    return [...read, `unreadable: ${fault.message}`, hex(rest)];
  }
  const { path = [], offset = 0 } = fault.place ?? {};
  const field = path.length === 0 ? "" : ` (${path.join(".")})`;
  return [`unreadable from byte ${offset} on${field}`, sizeText(rest.length)];
}

function restText(rest: Uint8Array, secrets: boolean): string {
  return secrets ? hex(rest) : sizeText(rest.length);
}

/** Tells nothing of what holds nothing, but for a secret: that one is taken away. */
function parameterText(parameter: ReadParameter, manner: Manner): string[] {
  const { name } = parameter;
  if ("encrypted" in parameter) {
    return [`${name}=encrypted ${restText(parameter.encrypted, manner.secrets)}`];
  }
  const { shown } = parameter;
  if (isEmpty(shown)) return shown.kind === "secret" ? [`${name}=empty`] : [];
  const text = valueText(shown, manner);
  return [isPublicArea(shown) ? text : `${name}=${text}`];
}

const PUBLIC_AREAS: ReadonlySet<string> = new Set(["TPMT_PUBLIC", "TPMT_TEMPLATE"]);

/** What it is needs no name. */
function isPublicArea(shown: Shown): boolean {
  if (shown.kind === "bytes") return shown.inside !== undefined && isPublicArea(shown.inside);
  return shown.kind === "struct" && PUBLIC_AREAS.has(shown.type);
}

/** "password <8 bytes>", "HMAC session 0x02000000 continueSession" */
function sessionText(session: Shown, manner: Manner): string {
  if (session.kind !== "struct") return valueText(session, manner);
  const field = (...names: string[]) =>
    session.fields.find(({ name }) => names.includes(name))?.shown;
  const handle = field("sessionHandle", "authHandle");
  if (handle?.kind !== "handle") return fieldsText(session.fields, manner);
  const text = valueText(handle, manner);
  const attributes = field("sessionAttributes");
  const continues = field("continueAuthSession");
  const names = attributes?.kind === "flags"
    ? attributes.names
    : continues?.kind === "constant" && continues.value !== 0
    ? ["continueAuthSession"]
    : [];
  const hmac = field("hmac");
  if (handle.value !== TPM_RH.PW || hmac === undefined) return [text, ...names].join(" ");
  const password = isEmpty(hmac) ? "empty" : valueText(hmac, manner);
  // That it continues says nothing of a password.
  return [text, password, ...names.filter((name) => name !== "continueSession")].join(" ");
}

function responseText(
  response: ReadResponse | undefined,
  manner: Manner,
  palette: Palette,
): string {
  if (response === undefined) return "?";
  const { result } = response;
  if (result === undefined) {
    return palette.failure(`no response ${restText(response.rest, manner.secrets)}`);
  }
  if (result.code !== 0) return failureText(result, palette);
  const handles = response.handles.map(({ text }) => text);
  const parameters = { ...response, parameters: response.parameters.filter(isOfInterest) };
  const words = [...handles, ...partsText(parameters, manner)];
  return words.length === 0 ? result.name : words.join(" ");
}

/** Tickets and creation data are for the TPM to read again; JSON has them. */
function isOfInterest(parameter: ReadParameter): boolean {
  if ("encrypted" in parameter || parameter.shown.kind !== "struct") {
    return parameter.name !== "creationHash";
  }
  const { type } = parameter.shown;
  return !type.startsWith("TPMT_TK_") && type !== "TPMS_CREATION_DATA";
}

/** "TPM_RC_VALUE (0x2c4) parameter 2, inPublic: the value is out of range" */
function failureText(result: ReadResult, palette: Palette): string {
  const { name, code, meaning, position, warning } = result;
  const digits = `0x${code.toString(16)}`;
  const mark = warning ? palette.warning : palette.failure;
  const at = position === undefined
    ? ""
    : ` ${position.of} ${position.number}${
      position.name === undefined ? "" : `, ${position.name}`
    }`;
  return `${mark(name === digits ? name : `${name} (${digits})`)}${at}: ${meaning}`;
}

function controlText(exchange: ControlExchange, palette: Palette): string {
  const { name, request, result, response, durationMs } = exchange;
  const failed = result !== 0 && result !== undefined;
  const mark = failed ? palette.failure : same;
  const outcome = result === undefined ? "?" : mark(controlResultName(result));
  const values = failed ? "" : valuesText(response).map((word) => ` ${word}`).join("");
  return `${palette.name(name)}(${valuesText(request).join(", ")}) = ${outcome}` +
    `${values}${durationText(durationMs, palette)}`;
}

function valuesText(values: ControlValues): string[] {
  return Object.entries(values).map(([name, value]) => `${name}=${value}`);
}

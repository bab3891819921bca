// `swtpm decode`: captures of what a TPM was asked and has answered, and the event logs of firmware, in
// words. How captures are read stands beside this file, how commands are written in trace/.
import { keyConfig, libtpmsChoice } from "../../cli/configuration.ts";
import type { Surroundings } from "../../cli/line.ts";
import { pageText } from "../../cli/page.ts";
import { readToolLine } from "../../cli/tool_line.ts";
import { UsageError } from "../../cli/usage_error.ts";
import { outputIsTerminal, print, tell } from "../../daemon/output/output.ts";
import type { System } from "../../daemon/system.ts";
import { O } from "../../ffi/files.ts";
import type { TraceEvent } from "../../trace/exchange.ts";
import { traceObject } from "../../trace/json.ts";
import { COLOURS, PLAIN, textLine } from "../../trace/text.ts";
import { Exchanges } from "./exchanges.ts";
import { readCapture } from "./formats.ts";
import { decodePage } from "./help.ts";
import { Input } from "./input.ts";

/** Firmware sets aside 64 KiB for a log, or some more. */
const EVENT_LOG_MAX = 16 * 1024 * 1024;
/** Lines are printed many at a time. */
const PRINTED_AT_ONCE = 32 * 1024;
const STDIN = { fd: 0, name: "standard input" } as const;

/** Prints what is in it; returns the exit code. */
export async function decode(
  system: System,
  surroundings: Surroundings,
  words: readonly string[],
): Promise<number> {
  const read = readToolLine("decode", words, surroundings, "any");
  if (read === "help") {
    print(system, pageText(decodePage()));
    return 0;
  }
  const { line, operands } = read;
  const eventLog = line.text("event-log");
  const against = line.text("against");
  const excess = operands[eventLog === undefined ? 1 : 0];
  if (excess !== undefined) throw new UsageError(`Unknown parameter '${excess}'`);
  if (against !== undefined && eventLog === undefined) {
    throw new UsageError("--against compares what --event-log FILE replays to");
  }
  const json = line.has("json");
  const secrets = line.has("secrets");
  const palette = outputIsTerminal() ? COLOURS : PLAIN;
  if (eventLog !== undefined) {
    using file = openInput(system, eventLog);
    const bytes = file.input.take(EVENT_LOG_MAX);
    const { tellEventLog } = await import("./event_log.ts");
    return await tellEventLog(system, bytes, {
      name: file.name,
      against: against === undefined
        ? undefined
        : { where: against, key: keyConfig(line, "key"), libtpms: libtpmsChoice(line) },
      ...{ json, palette },
    });
  }
  const write = json
    ? (event: TraceEvent) => JSON.stringify(traceObject(event, { secrets }))
    : (event: TraceEvent) => textLine(event, { secrets, palette });
  using file = openInput(system, operands[0]);
  let code = 0;
  let text = "";
  for (const item of new Exchanges().of(readCapture(file.input))) {
    if (item.kind !== "damage") text += `${write(item)}\n`;
    else {
      print(system, text);
      text = "";
      code = 1;
      tell(`${file.name}, ${item.where}: ${item.reason}`);
    }
    if (text.length >= PRINTED_AT_ONCE) {
      print(system, text);
      text = "";
    }
  }
  print(system, text);
  return code;
}

interface OpenInput extends Disposable {
  readonly name: string;
  readonly input: Input;
}

function openInput({ files }: System, path: string | undefined): OpenInput {
  if (path === undefined || path === "-") {
    const { fd, name } = STDIN;
    const input = new Input((into) => files.read(fd, into, name));
    return { name, input, [Symbol.dispose]() {} };
  }
  const fd = files.open(path, O.RDONLY);
  const input = new Input((into) => files.read(fd, into, path));
  return { name: `'${path}'`, input, [Symbol.dispose]: () => files.close(fd) };
}

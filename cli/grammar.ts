// The grammar inside structured options, `name=value,name,…`: a table of names and types in, typed
// values out. What the values mean is the options' affair.
import { nearest } from "./nearest.ts";
import { UsageError } from "./usage_error.ts";

/** Looks up users and groups, handed in so that the grammar itself needs no system. */
export interface Names {
  user(name: string): number | undefined;
  group(name: string): number | undefined;
}

interface ParameterTypes {
  string: string;
  int: number;
  uint: number;
  boolean: boolean;
  mode: number;
  uid: number;
  gid: number;
}
export type ParameterType = keyof ParameterTypes;

/** Names of sub-parameters and their types. */
export type Parameters = Record<string, ParameterType>;
export type Given<P extends Parameters> = { [K in keyof P]?: ParameterTypes[P[K]] };

const INT_MAX = 2 ** 31 - 1;
const UINT_MAX = 2 ** 32 - 1;
const MODE_MAX = 0o777;

/** Parses the argument of `--option`; messages call it `word`, as the C program does. */
export function parseParameters<P extends Parameters>(
  word: string,
  argument: string,
  parameters: P,
  names: Names,
): Given<P> {
  const given: Record<string, unknown> = {};
  for (const token of split(word, argument)) {
    const equals = token.indexOf("=");
    // An empty value, `name=`, is no value: the token as a whole is then unknown.
    const hasValue = equals > 0 && equals < token.length - 1;
    const name = hasValue ? token.slice(0, equals) : token;
    const type = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    if (type === undefined) {
      throw refused(word, `Unknown option '${token}'${suggestion(name, parameters)}`);
    }
    // A name alone stands for the word "true", whatever its type.
    const value = parseValue(word, name, type, hasValue ? token.slice(equals + 1) : "true", names);
    if (!Object.hasOwn(given, name)) given[name] = value;
  }
  return given as Given<P>;
}

/** Tokens between commas; a JSON value in braces may hold commas of its own. */
function split(word: string, argument: string): string[] {
  const tokens: string[] = [];
  let rest = argument;
  for (;;) {
    const comma = rest.indexOf(",");
    const equals = rest.indexOf("=");
    if (comma < 0) return [...tokens, rest];
    if (equals < 0 || equals > comma || rest[equals + 1] !== "{") {
      tokens.push(rest.slice(0, comma));
      rest = rest.slice(comma + 1);
      continue;
    }
    const end = closingBrace(rest, equals + 1);
    if (end < 0) throw refused(word, `Unterminated '{' in '${rest}'`);
    tokens.push(rest.slice(0, end + 1));
    if (end + 1 === rest.length) return tokens;
    if (rest[end + 1] !== ",") {
      throw refused(
        word,
        `Unexpected character '${rest[end + 1]}' behind '${rest.slice(0, end + 1)}'`,
      );
    }
    rest = rest.slice(end + 2);
  }
}

function closingBrace(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    if (text[at] === "{") depth++;
    if (text[at] === "}" && --depth === 0) return at;
  }
  return -1;
}

function parseValue(
  word: string,
  name: string,
  type: ParameterType,
  value: string,
  names: Names,
): unknown {
  switch (type) {
    case "string":
      return value;
    case "boolean":
      return value === "1" || value.toLowerCase() === "true";
    case "int":
    case "uint":
      return parseNumber(word, name, value, type);
    case "mode": {
      if (!/^\s*\+?[0-7]+$/.test(value)) {
        throw refused(word, `invalid mode type '${value}' for '${name}': octal digits expected`);
      }
      const mode = parseInt(value, 8);
      if (mode > MODE_MAX) throw refused(word, `mode '${value}' for '${name}' is invalid`);
      return mode;
    }
    case "uid":
    case "gid": {
      if (/^\d+$/.test(value) && Number(value) <= UINT_MAX) return Number(value);
      const id = type === "uid" ? names.user(value) : names.group(value);
      if (id !== undefined) return id;
      const what = type === "uid" ? "user" : "group";
      throw refused(word, `${what} '${value}' for '${name}' does not exist`);
    }
  }
}

function parseNumber(word: string, name: string, value: string, type: "int" | "uint"): number {
  if (!/^\s*[+-]?\d+$/.test(value) || (type === "uint" && value.trimStart().startsWith("-"))) {
    throw refused(word, `invalid number '${value}' for '${name}'`);
  }
  const number = Number(value);
  const [min, max] = type === "int" ? [-INT_MAX - 1, INT_MAX] : [0, UINT_MAX];
  if (number < min || number > max) {
    throw refused(word, `number ${value} for '${name}' is outside valid range`);
  }
  return number;
}

function refused(word: string, detail: string): UsageError {
  return new UsageError(`Error parsing ${word} options: ${detail}`);
}

/** " (did you mean 'x'?)" where one of the names is close. */
function suggestion(written: string, parameters: Parameters): string {
  const near = nearest(written.replace(/=.*$/, ""), Object.keys(parameters));
  return near === undefined ? "" : ` (did you mean '${near}'?)`;
}

// The commands of swtpm_ioctl: what each says to the emulator and prints of the answer, in the C
// program's words.
import type { ControlClient } from "../../control/client.ts";
import { type CommandName, InitFlag, type Request, type Response } from "../../control/protocol.ts";
import { SystemError } from "../../ffi/libc.ts";
import type { Arguments } from "./words.ts";

/** The names that the C program has for commands that could not be given, where they differ. */
const failedNames: Partial<Record<CommandName, string>> = {
  GET_TPMESTABLISHED: "PTM_GET_ESTABLISHED",
  RESET_TPMESTABLISHED: "PTM_RESET_ESTABLISHED",
  HASH_START: "ioctl PTM_HASH_START",
  HASH_DATA: "ioctl PTM_HASH_DATA",
  HASH_END: "ioctl PTM_HASH_END",
  GET_STATEBLOB: "ioctl PTM_GET_STATEBLOB",
  SET_STATEBLOB: "ioctl PTM_SET_STATEBLOB",
};

/** What a successful command has come to. */
interface Success<N extends CommandName> {
  response: Omit<Response<N>, "result">;
  data: Uint8Array<ArrayBuffer>;
}

/** Gives one command. Throws where it was not answered, or was refused. */
export function ask<N extends CommandName>(
  client: ControlClient,
  name: N,
  request: Request<N>,
  data?: Uint8Array<ArrayBuffer>,
): Success<N> {
  const answer = attempt(failedNames[name] ?? `PTM_${name}`, () => client.ask(name, request, data));
  if (!("failure" in answer)) return answer;
  throw new Error(`TPM result from PTM_${name}: 0x${answer.failure.toString(16)}`);
}

/** Says of what could not be done that it was that command. */
export function attempt<T>(command: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const reason = error instanceof SystemError ? error.reason : (error as Error).message;
    throw new Error(`Could not execute ${command}: ${reason}`, { cause: error });
  }
}

/** A command that needs no file and no standard input; what it returns is printed. */
type Simple = (client: ControlClient, given: Arguments) => string;

/** By the word that chooses them. */
export const simpleCommands: Readonly<Record<string, Simple>> = {
  "-c": (client) => {
    const { capabilities } = ask(client, "GET_CAPABILITY", {}).response;
    return `ptm capability is 0x${capabilities.toString(16)}\n`;
  },
  "-i": (client) => {
    ask(client, "INIT", { flags: InitFlag.DELETE_VOLATILE });
    return "";
  },
  "-e": (client) => `tpmEstablished is ${ask(client, "GET_TPMESTABLISHED", {}).response.bit}\n`,
  "-r": (client, { locality }) => {
    ask(client, "RESET_TPMESTABLISHED", { locality });
    return "";
  },
  "-s": (client) => silent(client, "SHUTDOWN"),
  "--stop": (client) => silent(client, "STOP"),
  "-l": (client, { locality }) => {
    ask(client, "SET_LOCALITY", { locality });
    return "";
  },
  "-C": (client) => silent(client, "CANCEL_TPM_CMD"),
  "-v": (client) => silent(client, "STORE_VOLATILE"),
  "-g": (client) => {
    const { flags } = ask(client, "GET_CONFIG", {}).response;
    return `ptm configuration flags: 0x${flags.toString(16)}\n`;
  },
  "-b": (client, { bufferSize }) => {
    const { size, min, max } = ask(client, "SET_BUFFERSIZE", { size: bufferSize }).response;
    return `TPM buffersize: ${size}\nminimum size  : ${min}\nmaximum size  : ${max}\n`;
  },
  "--info": (client, { infoFlags }) => `${info(client, infoFlags)}\n`,
  "--lock-storage": (client) => {
    // How often to try again was never told by the C program.
    ask(client, "LOCK_STORAGE", { retries: 0 });
    return "";
  },
};

function silent(
  client: ControlClient,
  name: "SHUTDOWN" | "STOP" | "CANCEL_TPM_CMD" | "STORE_VOLATILE",
): string {
  ask(client, name, {});
  return "";
}

/** All parts of a long text, which a NUL ends. */
function info(client: ControlClient, wide: bigint): string {
  const [high, flags] = [Number(wide >> 32n), Number(BigInt.asUintN(32, wide))];
  const decoder = new TextDecoder();
  let text = "";
  for (let offset = 0;;) {
    const { response, data } = ask(client, "GET_INFO", { high, flags, offset });
    text += decoder.decode(data, { stream: true });
    offset += data.length;
    if (offset >= response.totalLength) return text.replace(/\0[^]*/, "");
    if (data.length === 0) {
      throw new Error(`TPM returned ${offset} of ${response.totalLength} bytes of information`);
    }
  }
}

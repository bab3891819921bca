// A conversation with a CUSE device, step by step, and what the C program answered. Recorded with
// swtpm 0.10.2 built with its cuse interface, libtpms 0.10.2, Linux 6.1: no distribution builds it.
// Answers of the TPM itself are those that all versions of libtpms give.

import assert from "node:assert/strict";
import { ioctls } from "../../control/ioctl.ts";
import type { CommandName } from "../../control/protocol.ts";
import { getRandom2, off2, startup2, success2 } from "./bytes.ts";
import type { Shell } from "./shell.ts";

/**
 * What guest/device.py does, and what the C program answers; where we answer something else, what,
 * and the key of the paragraph in COMPATIBILITY.md that tells why.
 */
type Step =
  | readonly [does: string, answer: string]
  | readonly [does: string, answer: string, ours: string, key: `[${string}]`];

const OK = "00000000";
/** TPM_FAIL, TPM_BAD_ORDINAL, TPM_BAD_PARAMETER, TPM_BAD_LOCALITY; as they stand in an answer. */
const FAIL = "09000000";
const BAD_ORDINAL = "0a000000";
const BAD_PARAMETER = "03000000";
const BAD_LOCALITY = "3d000000";
/** An ioctl's answer shows so many bytes of its struct; where it has more they are as asked. */
const zeros = (words: number) => OK.repeat(words);

const EIO = "errno 5";
const EBUSY = "errno 16";
const EINVAL = "errno 22";
const ECONNABORTED = "errno 103";

/** A command that no TPM 2 has; its error tells answers apart from those to other commands. */
const unknown = "80010000000a 00000fff";
const unknownAnswer = "80010000000a00000143";
const initialize = "80010000000a00000100";
const commandSize = "80010000000a00000142";

function write(command: string): string {
  return `write ${command.replaceAll(" ", "")}`;
}

/** Little-endian words, as they stand in the struct. */
function ioctl(name: CommandName, ...words: number[]): string {
  const bytes = new Uint8Array(4 * words.length);
  const view = new DataView(bytes.buffer);
  words.forEach((word, index) => view.setUint32(4 * index, word, true));
  return `ioctl ${ioctls[name].request} ${bytes.toHex()}`;
}

/** A struct of SET_STATEBLOB for a type that does not exist, with a result. */
const noType = (result: string) => `${result}09000000${zeros(2)}`;

const steps: readonly Step[] = [
  // One user at a time, and what is no request.
  ["open", "opened"],
  ["open", EBUSY],
  [`ioctl ${0x8004501e} 00000000`, EINVAL],
  [`ioctl ${0xc0085001} 0000000000000000`, EINVAL],
  [`ioctl ${0x80045001} 00000000`, EINVAL],
  [`ioctl ${0x5001} 00000000`, EINVAL],
  [ioctl("SET_DATAFD"), EINVAL],
  [ioctl("GET_CAPABILITY"), "ff6f010000000000"],

  // The TPM is off.
  ["read 10", ""],
  [write(getRandom2), "12"],
  ["read 100", off2],
  ["read 100", ""],
  [write("800100"), "3"],
  ["read 100", off2],
  ["zeros 5000", "5000", "4096", "[cuse-cut]"],
  ["read 100", off2],
  [ioctl("GET_TPMESTABLISHED"), BAD_ORDINAL + OK],
  [ioctl("HASH_START"), BAD_ORDINAL],
  [ioctl("HASH_DATA"), BAD_ORDINAL + zeros(3)],
  [ioctl("HASH_END"), BAD_ORDINAL],
  [ioctl("CANCEL_TPM_CMD"), BAD_ORDINAL],
  [ioctl("STORE_VOLATILE"), BAD_ORDINAL],
  [ioctl("RESET_TPMESTABLISHED", 3), BAD_ORDINAL],
  [ioctl("GET_STATEBLOB", 0, 1), `${BAD_ORDINAL}01000000${zeros(2)}`],
  [ioctl("GET_CONFIG"), zeros(2)],
  [ioctl("LOCK_STORAGE", 0), OK],
  [ioctl("SET_LOCALITY", 5), BAD_LOCALITY],
  [ioctl("SET_LOCALITY", 4), OK],
  // The locality is one byte.
  [ioctl("SET_LOCALITY", 0x100), OK],
  [ioctl("GET_INFO", 1, 0, 90000), `${BAD_PARAMETER}00000000905f0100${OK}`],

  // On; INIT looks at one flag only.
  [ioctl("INIT", 0xfffffffe), OK],
  ["read 10", ""],
  [write(getRandom2), "12"],
  ["read 100", initialize],
  [write(startup2), "12"],
  ["read 4", success2.slice(0, 8)],
  ["read 3", success2.slice(8, 14)],
  ["read 100", success2.slice(14)],
  [write("8001000000"), "5"],
  ["read 100", "80010000000a0000009a"],
  [write(getRandom2 + "00".repeat(5000)), "4096"],
  ["read 100", commandSize],
  [write(getRandom2 + getRandom2), "24"],
  ["read 100", commandSize],
  // The send-command prefix of the sockets is no command here.
  [write(`00000008 00 0000000c ${getRandom2}`), "21"],
  ["read 100", "80010000000a00000084"],
  // SetLocality is one, but was not allowed.
  [write("80010000000b 20001000 02"), "11"],
  ["read 100", off2],

  // A response is there until the next command, also for who opens the device next.
  [write(unknown), "10"],
  ["close", "closed"],
  ["open", "opened"],
  ["read 4", unknownAnswer.slice(0, 8)],
  ["close", "closed"],
  ["open", "opened"],
  ["read 100", unknownAnswer.slice(8)],
  [write(unknown), "10"],
  [ioctl("INIT", 0), OK],
  ["read 100", unknownAnswer, "", "[cuse-power]"],
  [write(startup2), "12"],
  ["read 100", success2],

  // Control commands beside them.
  [ioctl("HASH_DATA", 5000), `${FAIL}${zeros(3)}`],
  [ioctl("HASH_START"), OK],
  [ioctl("HASH_DATA", 0), zeros(4)],
  [ioctl("HASH_DATA", 4096), zeros(4)],
  [ioctl("HASH_END"), OK],
  [ioctl("RESET_TPMESTABLISHED", 2), BAD_LOCALITY],
  [ioctl("RESET_TPMESTABLISHED", 3), OK],
  [ioctl("RESET_TPMESTABLISHED", 5), "no answer", BAD_LOCALITY, "[cuse-reset]"],
  [ioctl("SET_BUFFERSIZE", 3000), `${BAD_ORDINAL}${zeros(3)}`],
  [ioctl("CANCEL_TPM_CMD"), OK],

  // States: types that do not exist, one that is not there, an end that is passed.
  [ioctl("GET_STATEBLOB", 0, 9), `${BAD_PARAMETER}${zeros(3)}`],
  [ioctl("GET_STATEBLOB", 0, 3), `00080000${zeros(3)}`],
  [ioctl("SET_STATEBLOB", 0, 1), `${BAD_ORDINAL}01000000${zeros(2)}`],
  [ioctl("STORE_VOLATILE"), OK],
  [ioctl("STOP"), OK],
  [ioctl("SET_STATEBLOB", 0, 1, 4000), `${BAD_PARAMETER}01000000a00f0000${OK}`],
  [ioctl("SET_STATEBLOB", 0, 9, 0), noType(OK), noType(BAD_PARAMETER), "[cuse-type]"],
  ["read 10", EIO, "", "[cuse-type]"],
  [ioctl("SET_STATEBLOB", 0, 9, 5), `${BAD_PARAMETER}0900000005000000${OK}`],
  [ioctl("SET_STATEBLOB", 0, 1, 0), `${OK}01000000${zeros(2)}`],
  [write("616263"), "3"],
  ["read 10", EIO],
  [ioctl("SET_STATEBLOB", 0, 1, 5), `${BAD_PARAMETER}0100000005000000${OK}`],
  [ioctl("SET_STATEBLOB", 0, 2, 0), `${OK}02000000${zeros(2)}`],
  ["zeros 70000", "70000"],
  [ioctl("SET_STATEBLOB", 0, 2, 0), `${BAD_PARAMETER}02000000${zeros(2)}`],

  [ioctl("INIT", 0), OK],
  [ioctl("SHUTDOWN"), OK],
  ["read 10", ECONNABORTED],
];

/** Holds the conversation with a TPM 2. */
export async function cuseConversation(shell: Shell): Promise<void> {
  await shell.run("swtpm cuse -n talk --tpm2 --tpmstate dir=/tmp/talk");
  const text = steps.map(([does]) => `${does}\n`).join("");
  const printed = await shell.run(
    `python3 -I -S /guest/device.py talk /dev/talk <<'END'\n${text}END`,
  );
  const answers = printed.split("\n");
  const seen = steps.map(([does], index) => `${does.slice(0, 60)} -> ${answers[index]}`);
  const expected = steps.map(([does, answer, ours]) => `${does.slice(0, 60)} -> ${ours ?? answer}`);
  assert.deepEqual(seen, expected);
}

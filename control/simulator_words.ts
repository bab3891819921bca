// What the words of the simulator's command port bring about (wire/simulator.ts). Where somebody else
// owns the TPM, a connection knows only those that concern itself.
import type { Responder } from "../tpm/responder.ts";
import { framed, type Tpm } from "../tpm/tpm.ts";
import {
  comesInPieces,
  commandPort,
  type CommandPortName,
  Endpoint,
  HANDSHAKE_VERSION,
  handshakeAnswer,
  handshakeMessage,
  hashDataMessage,
  simulatorResult,
  wordAt,
  wordMessageSize,
  type Words,
  wordsOf,
} from "../wire/simulator.ts";
import { TpmResult } from "../wire/codes.ts";
import { sendCommandPrefix } from "../wire/tpm.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** An answer, now or later, or what becomes of the message: more of it is to come, or of the client. */
export type WordOutcome = Bytes | Promise<Bytes> | "more" | "end" | "stop";

/** What a data connection knows of the simulator's protocol. */
export interface WordPort {
  readonly words: Words;
  /**
   * Answers the message in the first `size` bytes of `message`, which begins with one of the words;
   * `end` has the connection closed, `stop` the process end. After `more` what stands behind the
   * message's head was taken, and the head says how much is left. Commands are the responder's.
   */
  answer(message: Bytes, size: number, responder: Responder): WordOutcome;
}

const versionAt = handshakeMessage.reader("version");
const dataLengthAt = hashDataMessage.reader("length");
const localityAt = sendCommandPrefix.reader("locality");

/** Any client of the data channel: a simulator's client says hello and goodbye there. */
const OF_ANY_CLIENT: CommandPortName[] = [
  "REMOTE_HANDSHAKE",
  "SET_ALTERNATIVE_RESULT",
  "SESSION_END",
  "STOP",
];
const ALL = Object.keys(commandPort) as CommandPortName[];

/** There is a control channel, but not the platform port that this protocol means. */
const DATA_CHANNEL = Endpoint.RAW | Endpoint.NO_POWER | Endpoint.NO_NV_CONTROL;
const COMMAND_PORT = Endpoint.PLATFORM | Endpoint.RAW | Endpoint.PHYSICAL_PRESENCE |
  Endpoint.NO_NV_CONTROL;
const MANAGED_PORT = Endpoint.PLATFORM | Endpoint.VIRTUAL_HANDLES | Endpoint.PHYSICAL_PRESENCE |
  Endpoint.NO_NV_CONTROL;

const done = () => simulatorResult.encode({ result: TpmResult.SUCCESS });

/** For connections of the data channel: none of these words has a power that its clients had not. */
export function dataChannelWords(): WordPort {
  return {
    words: wordsOf(...OF_ANY_CLIENT),
    answer: (message, size) => ofAnyClient(message, size),
  };
}

function ofAnyClient(message: Bytes, size: number, flags = DATA_CHANNEL): WordOutcome {
  switch (wordAt(message, 0)) {
    case commandPort.REMOTE_HANDSHAKE.word:
      if (size < handshakeMessage.size || versionAt(message, 0) === 0) return "end";
      return handshakeAnswer.encode({
        version: HANDSHAKE_VERSION,
        flags,
        result: TpmResult.SUCCESS,
      });
    case commandPort.SET_ALTERNATIVE_RESULT.word:
      return done();
    default:
      return "end";
  }
}

/** The D-RTM's hash sequence. */
type Hash = Pick<Tpm, "hashStart" | "hashData" | "hashEnd">;

/** For connections of the simulator's command port, whose clients own the TPM. */
export function commandPortWords(tpm: Tpm): WordPort {
  return portWords(tpm, { flags: COMMAND_PORT, hash: tpm, stop: "stop" });
}

/**
 * For connections of a managed address, whose clients share the TPM. The hash sequence would reset
 * everybody's PCRs, and take an object's place: its words are answered, and do nothing.
 */
export function managedPortWords(tpm: Pick<Tpm, "running">): WordPort {
  const success = () => TpmResult.SUCCESS;
  const hash = { hashStart: success, hashData: success, hashEnd: success };
  return portWords(tpm, { flags: MANAGED_PORT, hash, stop: "end" });
}

function portWords(
  tpm: Pick<Tpm, "running">,
  { flags, hash: drtm, stop }: { flags: number; hash: Hash; stop: "end" | "stop" },
): WordPort {
  const words = wordsOf(...ALL);
  const hash = (result: () => number) => {
    // As in the simulator, to whose clients a TPM that is off is no error.
    return simulatorResult.encode({ result: tpm.running ? result() : TpmResult.SUCCESS });
  };

  const hashData = (message: Bytes, size: number): WordOutcome => {
    const { head } = commandPort.HASH_DATA;
    const length = dataLengthAt(message, 0);
    const piece = message.subarray(head.size, size);
    const answer = hash(() => drtm.hashData(piece));
    if (piece.length === length) return answer;
    hashDataMessage.write(message, 0, {
      word: commandPort.HASH_DATA.word,
      length: length - piece.length,
    });
    return "more";
  };

  const sendCommand = (message: Bytes, size: number, responder: Responder): WordOutcome => {
    if (!tpm.running) return framed(new Uint8Array());
    const { head } = commandPort.SEND_COMMAND;
    const command = message.subarray(head.size, size);
    const response = responder.processAt(localityAt(message, 0), command, command.length);
    return response instanceof Promise
      ? response.then((response) => framed(response))
      : framed(response);
  };

  const answer = (message: Bytes, size: number, responder: Responder): WordOutcome => {
    // No TPM has a use for a command that is longer than any.
    if (wordMessageSize(message, size, words)! > size && !comesInPieces(message)) return "end";
    switch (wordAt(message, 0)) {
      case commandPort.SEND_COMMAND.word:
        return sendCommand(message, size, responder);
      case commandPort.HASH_START.word:
        return hash(() => drtm.hashStart());
      case commandPort.HASH_DATA.word:
        return hashData(message, size);
      case commandPort.HASH_END.word:
        return hash(() => drtm.hashEnd());
      case commandPort.STOP.word:
        return stop;
      default:
        return ofAnyClient(message, size, flags);
    }
  };
  return { words, answer };
}

// The control protocol as ioctls, for the device of the cuse interface (the C project's
// tpm_ioctl.h): the same table as the sockets', but each command is one struct of fixed size in the
// host's byte order (little-endian, on every machine that this program runs on), whose size and
// direction are in the request's number. Server, client and tests read this file.
import { type Codec, littleEndian, reserved, type Struct, struct, u32 } from "../wire/codec.ts";
import { ioctlNumber } from "../wire/ioctl.ts";
import { type CommandName, commands, resultOnly } from "./protocol.ts";

/** 'P' */
const TYPE = 0x50;

/** Bytes of data in one HASH_DATA. */
export const HASH_CHUNK = 4096;
/** Bytes of a state in one GET_STATEBLOB or SET_STATEBLOB (PTM_STATE_BLOB_SIZE). */
export const BLOB_CHUNK = 3072;

interface Form {
  /** Room for data behind the request, and behind the response. */
  requestData?: number;
  responseData?: number;
  /** What the compiler aligns the struct to. */
  alignment?: number;
  // deno-lint-ignore no-explicit-any
  request?: Struct<any>;
  // deno-lint-ignore no-explicit-any
  response?: Struct<any>;
}

const le32 = littleEndian(u32);

/** What the table of the sockets does not say. */
const forms: Partial<Record<CommandName, Form>> = {
  // One u64 without a result before it; the upper half is not in use.
  GET_CAPABILITY: {
    response: struct("capabilities", { capabilities: le32, high: reserved(4) }),
    alignment: 8,
  },
  HASH_DATA: { requestData: HASH_CHUNK },
  GET_STATEBLOB: { responseData: BLOB_CHUNK },
  SET_STATEBLOB: { requestData: BLOB_CHUNK },
  // The flags are a u64 again, of which the lower half comes first here.
  GET_INFO: {
    request: struct("get info", { flags: le32, high: le32, offset: le32, pad: reserved(4) }),
    responseData: BLOB_CHUNK,
    alignment: 8,
  },
};

/** One command as an ioctl. */
export interface Ioctl {
  readonly name: CommandName;
  /** The request number of ioctl(2). */
  readonly request: number;
  /** Size of the struct that ioctl(2) is given, both for the request and for the response. */
  readonly size: number;
  /** The request's part of it; data follow where the command has any. */
  // deno-lint-ignore no-explicit-any
  readonly input: Struct<any>;
  /** Most bytes of data behind the request. */
  readonly inputData: number;
  // deno-lint-ignore no-explicit-any
  readonly output: Struct<any>;
  readonly outputData: number;
}

/** A layout with every number in the host's byte order. */
// deno-lint-ignore no-explicit-any
function hostOrder(layout: Struct<any>): Struct<any> {
  const fields = Object.entries(layout.fields as Record<string, Codec<number>>);
  return struct(
    layout.name,
    Object.fromEntries(fields.map(([name, codec]) => [name, littleEndian(codec)])),
  );
}

/** What every command answers that fails before it is looked at closely. */
export const ioctlResult = hostOrder(resultOnly);

function ioctlOf(name: CommandName): Ioctl {
  const { code, request, response } = commands[name];
  const form: Form = forms[name] ?? {};
  const input = form.request ?? hostOrder(request);
  const output = form.response ?? hostOrder(response);
  const inputData = form.requestData ?? 0;
  const outputData = form.responseData ?? 0;
  const alignment = form.alignment ?? 4;
  const needed = Math.max(input.size + inputData, output.size + outputData);
  const size = Math.ceil(needed / alignment) * alignment;
  // A command without a request only reads. The sockets count from 1, the ioctls from 0.
  const direction = request.size === 0 ? "read" : "writeRead";
  const number = ioctlNumber(direction, TYPE, code - 1, size);
  return { name, request: number, size, input, inputData, output, outputData };
}

/** All commands as ioctls. SET_DATAFD has a number, but no device answers it. */
export const ioctls: Readonly<Record<CommandName, Ioctl>> = Object.fromEntries(
  Object.keys(commands).map((name) => [name, ioctlOf(name as CommandName)]),
) as Record<CommandName, Ioctl>;

const byRequest = new Map(Object.values(ioctls).map((ioctl) => [ioctl.request, ioctl]));

/** By the request number; undefined for one that does not exist. */
export function ioctlOfRequest(request: number): Ioctl | undefined {
  return byRequest.get(request);
}

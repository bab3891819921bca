// Shows that a TPM answers where its clients will ask: a command goes through the socket, once, before
// anybody is told of it. Afterwards the loop serves.
import type { Libc } from "../../ffi/libc.ts";
import { ready } from "../../ffi/patient_read.ts";
import { POLLIN } from "../../ffi/poll.ts";
import { WOULD_BLOCK } from "../../ffi/sockets.ts";
import type { Tpm } from "../../tpm/tpm.ts";
import type { Channel } from "../../transports/channel.ts";
import type { Listener } from "../../transports/listener.ts";
import { Tpm12, Tpm2, TpmRc } from "../../wire/codes.ts";
import { commandHeader, responseHeader } from "../../wire/tpm.ts";
import { LOOPBACK, type Place } from "./place.ts";

/** Other processes that happen to knock at a TCP port before we do. */
const STRANGERS_MAX = 16;
/** What was sent on this machine is there, unless the machine is very busy. */
const ARRIVAL_MS = 1000;
const RESPONSE_MAX = 64;

const resultAt = responseHeader.reader("code");

/** Throws where the TPM cannot be reached or does not answer with success. */
export async function prove(
  libc: Libc,
  tpm: Tpm,
  listener: Listener,
  place: Place,
): Promise<void> {
  const command = proofCommand(tpm.family.prefixed);
  using client = await connect(place);
  await client.write(command);
  const channel = await acceptSender(libc, listener, command);
  try {
    channel.send(await tpm.process(command, command.length));
    const response = new Uint8Array(RESPONSE_MAX);
    const length = await client.read(response) ?? 0;
    if (length < responseHeader.size) throw new Error("the TPM's answer did not arrive");
    const result = resultAt(response, 0);
    if (result !== TpmRc.SUCCESS) {
      throw new Error(`the TPM does not work: it answers with 0x${result.toString(16)}`);
    }
  } finally {
    channel.close();
  }
}

/** A command that changes nothing and wants a TPM that had its Startup. */
export function proofCommand(isTpm2: boolean): Uint8Array<ArrayBuffer> {
  const { size } = commandHeader;
  return commandHeader.encode(
    isTpm2
      ? { tag: Tpm2.ST_NO_SESSIONS, size, code: Tpm2.CC_ReadClock }
      : { tag: Tpm12.TAG_RQU_COMMAND, size, code: Tpm12.ORD_GetTicks },
  );
}

function connect(place: Place): Promise<Deno.Conn> {
  return place.kind === "unix"
    ? Deno.connect({ transport: "unix", path: place.socket })
    : Deno.connect({ hostname: LOOPBACK, port: place.port });
}

/** The connection on which the command has arrived; others are closed. */
async function acceptSender(
  libc: Libc,
  listener: Listener,
  command: Uint8Array,
): Promise<Channel> {
  const received = new Uint8Array(command.length);
  for (let stranger = 0; stranger < STRANGERS_MAX; stranger++) {
    await ready(libc, listener.fd, POLLIN, ARRIVAL_MS);
    const channel = listener.accept();
    if (channel === undefined) continue;
    await ready(libc, channel.fd, POLLIN, ARRIVAL_MS);
    const count = channel.receive(received);
    const ours = count !== WOULD_BLOCK && count === command.length &&
      received.every((byte, index) => byte === command[index]);
    if (ours) return channel;
    channel.close();
  }
  throw new Error("others keep connecting to the TPM's port");
}

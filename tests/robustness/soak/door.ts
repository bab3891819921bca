// The ways to a channel: an address, or a socket that is passed over the control channel. The same
// for rude clients and for the good one; what they say there is theirs.

import type { Address, Client } from "../../support/client.ts";
import { CMD, controlMessage } from "../../support/control.ts";
import type { Descriptors } from "../../support/fd_passing.ts";
import { waitUntil } from "../../support/wait.ts";

/** A way to a channel; plain data, so that it can be sent to a worker. */
export type Door =
  | { readonly kind: "connect"; readonly address: Address }
  /** As QEMU does it: one end of a socket pair goes over the control channel. */
  | { readonly kind: "datafd"; readonly control: Address };

/** Somebody who is connected, with the descriptor. */
export interface Caller {
  readonly fd: number;
  readonly client: Client;
}

/**
 * How long SET_DATAFD may take. Whoever gives up leaves a request behind that is served all the same:
 * on a busy machine those in a hurry would keep the emulator busy with such, and never get in.
 */
const ANSWER_MS = 5000;

/** One attempt to get in; undefined where there is no room at the moment. */
export async function knock(
  descriptors: Descriptors,
  door: Door,
  from?: Uint8Array,
): Promise<Caller | undefined> {
  if (door.kind === "datafd") return await passSocket(descriptors, door.control, ANSWER_MS);
  const fd = descriptors.connectNow(door.address, from);
  return fd === undefined ? undefined : { fd, client: descriptors.client(fd) };
}

/** Gets in, or waits until there is room. */
export async function enter(descriptors: Descriptors, door: Door): Promise<Client> {
  const caller = await waitUntil("a way in", () => knock(descriptors, door));
  return caller.client;
}

async function passSocket(
  descriptors: Descriptors,
  address: Address,
  patienceMs: number,
): Promise<Caller | undefined> {
  const control = descriptors.connectNow(address);
  if (control === undefined) return undefined;
  using lever = descriptors.client(control);
  const [mine, theirs] = descriptors.socketPair();
  const client = descriptors.client(mine);
  try {
    descriptors.sendWithDescriptors(control, controlMessage(CMD.SET_DATAFD), [theirs]);
    const result = await lever.receive(4, patienceMs);
    if (result.every((byte) => byte === 0)) return { fd: mine, client };
  } catch {
    // It is busy, or another client has the place.
  } finally {
    descriptors.close(theirs);
  }
  client.close();
  return undefined;
}

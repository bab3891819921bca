// Answers control commands that come as ioctls: gate, typed request, handler, bytes. The counterpart
// of connection.ts; where ioctls come from is the daemon's affair.
import { Errno } from "../ffi/libc.ts";
import type { StorageLock } from "../state/storage_lock.ts";
import type { Tpm } from "../tpm/tpm.ts";
import { TpmResult } from "../wire/codes.ts";
import type { BlobTransfer } from "./blob_transfer.ts";
import type { ControlTap } from "./connection.ts";
import type { Effect } from "./effects.ts";
import type { Extras, Handlers, Outcome } from "./handlers.ts";
import { HASH_CHUNK, type Ioctl, ioctlOfRequest, ioctlResult } from "./ioctl.ts";
import {
  Capability,
  type CommandName,
  commands,
  type Request,
  requestHeader,
  resultOnly,
} from "./protocol.ts";

/** What ioctl(2) comes to, and what should happen then. */
export type IoctlTurn =
  & { effects: readonly Effect[] }
  & ({ output: Uint8Array<ArrayBuffer> } | { errno: number });

export interface IoctlParts {
  handlers: Handlers;
  tpm: Tpm;
  lock: StorageLock;
  transfer: BlobTransfer;
  /** The TPM was turned on or off: no answer of before is anybody's any more. */
  powerChanged: () => void;
  report: (message: string) => void;
  /** Sees them as they would come over a socket. */
  tap?: ControlTap | undefined;
}

/** What a device has no use for: descriptors are passed and prefixes sent over sockets only. */
const NOT_ON_DEVICES = Capability.SET_DATAFD | Capability.SEND_COMMAND_HEADER;

export class IoctlServer {
  constructor(private readonly parts: IoctlParts) {}

  /** Whether the command has to wait for a TPM command that runs in another thread. */
  mustWait(request: number): boolean {
    const ioctl = ioctlOfRequest(request);
    return ioctl !== undefined && commands[ioctl.name].chip &&
      this.parts.tpm.pending !== undefined;
  }

  /** Executes the ioctl `request`, whose argument was `bytes` (none for one that only reads). */
  async execute(request: number, bytes: Uint8Array<ArrayBuffer>): Promise<IoctlTurn> {
    const ioctl = ioctlOfRequest(request);
    if (ioctl === undefined || ioctl.name === "SET_DATAFD" || bytes.length < ioctl.input.size) {
      return { errno: Errno.EINVAL, effects: [] };
    }
    this.#tell(ioctl, bytes);
    if (!this.#allowed(ioctl.name)) return this.#finish(ioctl, { failure: TpmResult.BAD_ORDINAL });
    if (ioctl.name === "SET_STATEBLOB" && !await this.#locked()) {
      return { errno: Errno.EIO, effects: [{ kind: "terminate" }] };
    }
    const outcome = await this.#run(ioctl, bytes);
    if (ioctl.name === "INIT" || ioctl.name === "STOP" || ioctl.name === "SHUTDOWN") {
      this.parts.transfer.reset();
      this.parts.powerChanged();
    }
    return this.#finish(ioctl, outcome);
  }

  /** Shows the request to whoever looks on. */
  #tell({ name, input }: Ioctl, bytes: Uint8Array<ArrayBuffer>): void {
    if (this.parts.tap === undefined) return;
    const { code, request } = commands[name];
    const head = requestHeader.encode({ code });
    this.parts.tap.request(
      new Uint8Array([...head, ...request.encode(input.decode(bytes) as never)]),
    );
  }

  #finish(ioctl: Ioctl, outcome: Outcome<CommandName>): IoctlTurn {
    this.parts.tap?.response(
      "failure" in outcome
        ? resultOnly.encode({ result: outcome.failure })
        : commands[ioctl.name].response.encode(outcome.response as never),
    );
    return finished(ioctl, outcome);
  }

  #allowed(name: CommandName): boolean {
    const { gate } = commands[name];
    return gate === "always" || (gate === "running") === this.parts.tpm.running;
  }

  /** States may be received only by who has the lock: another process may run on the old ones. */
  async #locked(): Promise<boolean> {
    try {
      await this.parts.lock.beforeReceiving();
      return true;
    } catch (error) {
      this.parts.report((error as Error).message);
      return false;
    }
  }

  async #run(ioctl: Ioctl, bytes: Uint8Array<ArrayBuffer>): Promise<Outcome<CommandName>> {
    const { handlers, transfer } = this.parts;
    const request = ioctl.input.decode(bytes);
    const data = bytes.subarray(ioctl.input.size);
    switch (ioctl.name) {
      case "GET_CAPABILITY": {
        const outcome = await handlers.GET_CAPABILITY({}, extras());
        if ("failure" in outcome) return outcome;
        const { capabilities } = outcome.response;
        return {
          response: { ...outcome.response, capabilities: capabilities & ~NOT_ON_DEVICES },
        };
      }
      case "HASH_DATA": {
        const { length } = request as Request<"HASH_DATA">;
        if (length > HASH_CHUNK) return { failure: TpmResult.FAIL };
        return await handlers.HASH_DATA({ length }, extras(data.subarray(0, length)));
      }
      case "GET_STATEBLOB":
        return await transfer.get(request as Request<"GET_STATEBLOB">);
      case "SET_STATEBLOB":
        return await transfer.set(request as Request<"SET_STATEBLOB">, data);
      default: {
        // The table ties the request's type to the name; here both are only known at run time.
        const handler = handlers[ioctl.name] as (
          request: unknown,
          extras: Extras,
        ) => Outcome<CommandName> | Promise<Outcome<CommandName>>;
        return await handler(request, extras());
      }
    }
  }
}

function extras(body: Uint8Array<ArrayBuffer> = new Uint8Array()): Extras {
  return { body, fd: undefined };
}

function finished(ioctl: Ioctl, outcome: Outcome<CommandName>): IoctlTurn {
  const effects = outcome.effects ?? [];
  if ("failure" in outcome) {
    return { output: ioctlResult.encode({ result: outcome.failure }), effects };
  }
  return { output: ioctl.output.encode(outcome.response, outcome.data), effects };
}

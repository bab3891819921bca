// A TPM in this process with a resource manager before it, for tests: clients with a space each, and one
// that has the TPM bare. As libtpms is one TPM, there is one at a time.
import { Log } from "../../daemon/output/log.ts";
import { openSystem } from "../../daemon/system.ts";
import { ResourceManager } from "../../resources/resource_manager.ts";
import { Client } from "../../tcg/tpm2/client/client.ts";
import { CommandError } from "../../tcg/tpm2/client/command_error.ts";
import { TPM2_GetCapability } from "../../tcg/tpm2/commands/capabilities.ts";
import { TPM_CAP } from "../../tcg/tpm2/constants.ts";
import { openPrivateTpm } from "../../tools/own_tpm/private_tpm.ts";
import type { Space } from "../../tpm/responder.ts";
import type { Tpm } from "../../tpm/tpm.ts";

/** A client of one connection. */
export class SpaceClient extends Client {
  /** The last response. */
  response = new Uint8Array();

  constructor(readonly space: Space, tpm: Pick<Tpm, "pending">) {
    super(async (command) => {
      // As the loop does: one command at a time.
      while (tpm.pending !== undefined) await tpm.pending;
      const answer = space.process(command.slice(), command.length);
      return this.response = (answer instanceof Promise ? await answer : answer).slice();
    });
  }

  /** The handles that a client is shown from `first` on. */
  async handles(first: number, propertyCount = 254): Promise<number[]> {
    const { capabilityData } = await this.run(TPM2_GetCapability, {
      ...{ capability: TPM_CAP.HANDLES, property: first, propertyCount },
    });
    return [...(capabilityData.data as { handles: number[] }).handles];
  }

  /** The connection as bytes that go and come. */
  get wire() {
    return {
      send: async (command: Uint8Array<ArrayBuffer>) => await this.send(command),
      close: () => this.close(),
    };
  }

  close(): void {
    this.space.close();
  }
}

export interface ManagedTpm {
  tpm: Tpm;
  manager: ResourceManager;
  bare: SpaceClient;
  connect(): SpaceClient;
}

const system = openSystem();

/** Does `action` with a TPM that is started up. libtpms stays open as long as its process. */
export function managedTest(name: string, action: (managed: ManagedTpm) => Promise<void>): void {
  const fn = async () => {
    using closers = new DisposableStack();
    const log = await Log.open(system.files, { file: "-", level: 0, prefix: "", truncate: false });
    const { tpm } = await openPrivateTpm({ system, options: { tpm2: true }, log }, closers);
    const manager = new ResourceManager(tpm);
    await action({
      ...{ tpm, manager, bare: new SpaceClient(manager.bare, tpm) },
      connect: () => new SpaceClient(manager.open(), tpm),
    });
  };
  Deno.test({ name, fn, sanitizeResources: false });
}

/** The code with which the TPM, or the resource manager, refuses; 0 where it does not. */
export async function codeOf(work: Promise<unknown>): Promise<number> {
  try {
    await work;
    return 0;
  } catch (error) {
    if (error instanceof CommandError) return error.result.code;
    throw error;
  }
}

// Clients for a fuzz of the managed address. A good one knows what it has and that all of it does what
// it should; a wild one sends what is right, nearly right or names what others have, and whatever it
// gets must be its own. What an object is, its secret tells: it begins with its maker's name.
import assert from "node:assert/strict";
import { TPM_ALG } from "../../tcg/tpm2/algorithms.ts";
import { TPMA_OBJECT } from "../../tcg/tpm2/attributes.ts";
import { Client } from "../../tcg/tpm2/client/client.ts";
import { CommandError } from "../../tcg/tpm2/client/command_error.ts";
import type { Session } from "../../tcg/tpm2/client/session.ts";
import { commandBytes } from "../../tcg/tpm2/command_bytes.ts";
import { TPM2_GetCapability } from "../../tcg/tpm2/commands/capabilities.ts";
import { TPM2_ContextLoad, TPM2_ContextSave } from "../../tcg/tpm2/commands/contexts.ts";
import { TPM2_CreatePrimary } from "../../tcg/tpm2/commands/hierarchies.ts";
import { TPM2_ReadPublic, TPM2_Unseal } from "../../tcg/tpm2/commands/objects.ts";
import { TPM2_PolicyCommandCode, TPM2_PolicyGetDigest } from "../../tcg/tpm2/commands/policies.ts";
import { TPM2_GetRandom } from "../../tcg/tpm2/commands/random.ts";
import {
  TPM2_HashSequenceStart,
  TPM2_SequenceComplete,
  TPM2_SequenceUpdate,
} from "../../tcg/tpm2/commands/sequences.ts";
import { TPM_CAP, TPM_RH } from "../../tcg/tpm2/constants.ts";
import type { Random } from "../robustness/random.ts";
import { hex, text, u16, u32 } from "../support/bytes.ts";
import { tpm2 } from "../support/tpm2.ts";

const EMPTY = new Uint8Array(0);
const FIRST = 0x80000000;
const LOADED = 0x02000000;
/** There is no room, in the TPM or for the client: what a good one may be told. */
const NO_ROOM: readonly number[] = [0x902, 0x903, 0x905, 0xb0902, 0xb0903];
/** Where a secret stands in an Unseal's response. */
const SECRET = /maker ([0-9a-f]{16}) /;

/** The names of all makers there have been; so long that no mutation makes one of another. */
export class Makers {
  readonly #names = new Set<string>();

  name(random: Random): string {
    const name = hex(random.bytes(8));
    this.#names.add(name);
    return name;
  }

  /** Fails where bytes hold a secret that somebody else made. */
  expect(own: string, bytes: Uint8Array): void {
    const found = SECRET.exec(String.fromCharCode(...bytes))?.[1] ?? own;
    assert.ok(found === own || !this.#names.has(found), "another one's secret");
  }
}

/** One connection. */
export interface Wire {
  send(command: Uint8Array<ArrayBuffer>): Promise<Uint8Array>;
  close(): void | Promise<void>;
}

function sealedBy(maker: string, secret: string) {
  return {
    primaryHandle: TPM_RH.NULL, // which nobody can clear
    inSensitive: { userAuth: EMPTY, data: text(`maker ${maker} ${secret}`) },
    inPublic: {
      type: TPM_ALG.KEYEDHASH,
      nameAlg: TPM_ALG.SHA256,
      objectAttributes: TPMA_OBJECT.of("fixedTPM", "fixedParent", "noDA", "userWithAuth"),
      authPolicy: EMPTY,
      parameters: { keyedHashDetail: { scheme: { scheme: TPM_ALG.NULL, details: {} } } },
      unique: { keyedHash: EMPTY },
    },
    outsideInfo: EMPTY,
    creationPCR: [],
  };
}

/** What is done, or undefined where there is no room for it. */
async function roomFor<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof CommandError && NO_ROOM.includes(error.result.code)) return undefined;
    throw error;
  }
}

export class GoodClient extends Client {
  readonly #objects = new Map<number, string>();
  #sessions: Session[] = [];
  #made = 0;

  readonly maker: string;

  constructor(
    private readonly wire: Wire,
    private readonly random: Random,
    makers: Makers,
  ) {
    super((command) => wire.send(command));
    this.maker = makers.name(random);
  }

  /** Does one thing, and sees that it comes to what it should. */
  async step(): Promise<void> {
    const { random } = this;
    const handles = [...this.#objects.keys()];
    switch (random.below(9)) {
      case 0:
      case 1: {
        const secret = `${++this.#made}`;
        const made = await roomFor(this.run(TPM2_CreatePrimary, sealedBy(this.maker, secret)));
        if (made === undefined) return;
        const { objectHandle } = made;
        assert.ok(!this.#objects.has(objectHandle), "a handle that is in use");
        this.#objects.set(objectHandle, secret);
        return;
      }
      case 2:
        if (handles.length < 6) return;
        await this.#drop(random.pick(handles));
        return;
      case 3: {
        const session = await roomFor(this.startSession());
        if (session !== undefined) this.#sessions.push(session);
        return;
      }
      case 4: {
        const session = this.#sessions.shift();
        if (session !== undefined) await this.flush(session.handle);
        return;
      }
      case 5: {
        const session = this.#sessions.shift();
        if (session === undefined) return;
        // It comes back as another client's would, by its context.
        const { context } = await this.run(TPM2_ContextSave, { saveHandle: session.handle });
        await this.run(TPM2_ContextLoad, { context });
        this.#sessions.push(session);
        return;
      }
      case 6:
        return await this.#hash();
      case 7:
        return await this.#policy();
      default:
        return await this.check(1);
    }
  }

  async #drop(handle: number): Promise<void> {
    await this.flush(handle);
    this.#objects.delete(handle);
  }

  async #hash(): Promise<void> {
    const start = { auth: EMPTY, hashAlg: TPM_ALG.SHA256 };
    const sequence = await roomFor(this.run(TPM2_HashSequenceStart, start));
    if (sequence === undefined) return;
    const { sequenceHandle } = sequence;
    const buffer = text(`what ${this.maker} hashes`);
    await this.run(TPM2_SequenceUpdate, { sequenceHandle, buffer });
    const { result } = await this.run(TPM2_SequenceComplete, {
      ...{ sequenceHandle, buffer, hierarchy: TPM_RH.NULL },
    });
    const whole = Uint8Array.of(...buffer, ...buffer);
    const wanted = new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
    assert.deepEqual(Uint8Array.from(result), wanted);
  }

  async #policy(): Promise<void> {
    const session = await roomFor(this.startSession({ type: "TRIAL" }));
    if (session === undefined) return;
    const policySession = session.handle;
    const code = this.random.pick([0x131, 0x153, 0x157, 0x15e, 0x17b]);
    await this.run(TPM2_PolicyCommandCode, { policySession, code });
    const { policyDigest } = await this.run(TPM2_PolicyGetDigest, { policySession });
    const wanted = await crypto.subtle.digest(
      "SHA-256",
      Uint8Array.of(...new Uint8Array(32), ...u32(0x16c), ...u32(code)),
    );
    assert.deepEqual(Uint8Array.from(policyDigest), new Uint8Array(wanted));
    await this.flush(policySession);
  }

  /** That objects, so many or all, and all sessions are what they were. */
  async check(count = Infinity): Promise<void> {
    const { random, maker } = this;
    const handles = [...this.#objects.keys()];
    const looked = count < handles.length ? [random.pick(handles)] : handles;
    for (const itemHandle of looked) {
      const { outData } = await this.run(TPM2_Unseal, { itemHandle });
      const wanted = `maker ${maker} ${this.#objects.get(itemHandle)}`;
      assert.equal(new TextDecoder().decode(outData), wanted);
    }
    for (const session of this.#sessions) {
      await this.run(TPM2_GetRandom, { bytesRequested: 8 }, session.use({ audit: true }));
    }
    assert.deepEqual(await this.handles(FIRST), handles.toSorted((one, other) => one - other));
    const sessions = this.#sessions.map(({ handle }) => handle);
    assert.deepEqual(await this.handles(LOADED), sessions.toSorted((one, other) => one - other));
  }

  async handles(property: number): Promise<number[]> {
    const { capabilityData } = await this.run(TPM2_GetCapability, {
      ...{ capability: TPM_CAP.HANDLES, property, propertyCount: 254 },
    });
    return [...(capabilityData.data as { handles: number[] }).handles];
  }

  close(): void | Promise<void> {
    return this.wire.close();
  }
}

/** Offsets of a command: its size, its code, its first handle. */
const AT = { size: 2, code: 6, handle: 10 } as const;

export class WildClient {
  readonly maker: string;

  constructor(
    private readonly wire: Wire,
    private readonly random: Random,
    private readonly makers: Makers,
  ) {
    this.maker = makers.name(random);
  }

  /** Sends one command; throws where the answer is not this client's to have. */
  async step(): Promise<void> {
    const { random } = this;
    const command = random.oneIn(3) ? this.#right() : this.#mutated(this.#right());
    const answer = await this.wire.send(command);
    assert.ok(answer.length >= 10, "an answer without a header");
    this.makers.expect(this.maker, answer);
  }

  #right(): Uint8Array<ArrayBuffer> {
    const { random } = this;
    const handle = FIRST + random.below(6);
    const session = (random.oneIn(2) ? LOADED : 0x03000000) + random.below(20);
    switch (random.below(14)) {
      case 0:
      case 1:
        return commandBytes(TPM2_CreatePrimary, sealedBy(this.maker, `${random.below(1000)}`));
      case 2:
      case 3:
      case 4:
        return commandBytes(TPM2_Unseal, { itemHandle: handle });
      case 5:
        return commandBytes(TPM2_ReadPublic, { objectHandle: handle });
      case 6:
        return tpm2.flushContext(random.oneIn(2) ? handle : session);
      case 7:
        return tpm2.startAuthSession();
      case 8:
        return tpm2.contextSave(random.oneIn(2) ? handle : session);
      case 9:
        return commandBytes(TPM2_HashSequenceStart, { auth: EMPTY, hashAlg: TPM_ALG.SHA256 });
      case 10:
        return commandBytes(TPM2_SequenceComplete, {
          ...{ sequenceHandle: handle, buffer: EMPTY, hierarchy: TPM_RH.NULL },
        });
      case 11:
        return commandBytes(TPM2_PolicyCommandCode, { policySession: session, code: 0x17b });
      case 12:
        return tpm2.getCapability(TPM_CAP.HANDLES, random.pick([FIRST, LOADED, 0x03000000]), 254);
      default:
        return this.#withSession(session);
    }
  }

  /** GetRandom, audited by a session that may be anybody's, without an HMAC that it would take. */
  #withSession(session: number): Uint8Array<ArrayBuffer> {
    const area = [...u32(session), ...u16(0), 0x80 | this.random.below(2), ...u16(0)];
    const body = [...u32(area.length), ...area, ...u16(8)];
    return Uint8Array.of(...u16(0x8002), ...u32(10 + body.length), ...u32(0x17b), ...body);
  }

  #mutated(command: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const { random } = this;
    let bytes = command.slice();
    const view = new DataView(bytes.buffer);
    for (let left = random.between(1, 3); left > 0; left--) {
      switch (random.below(8)) {
        case 0:
        case 1:
          if (bytes.length >= AT.handle + 4) view.setUint32(AT.handle, this.#anyHandle());
          break;
        case 2:
          if (bytes.length >= AT.handle + 12) view.setUint32(AT.handle + 8, this.#anyHandle());
          break;
        case 3:
          bytes[random.below(bytes.length)] = random.below(256);
          break;
        case 4:
          bytes[1] = random.pick([1, 2]);
          break;
        case 5: {
          // Another command with these bytes, but none that takes the TPM from everybody.
          const code = random.between(0x127, 0x19a);
          if (!GLOBAL.has(code)) view.setUint32(AT.code, code);
          break;
        }
        case 6: {
          const length = random.between(10, bytes.length);
          bytes = random.oneIn(2)
            ? bytes.slice(0, length)
            : Uint8Array.of(...bytes, ...random.bytes(random.below(9)));
          return withSize(bytes);
        }
        default:
          bytes[random.between(AT.handle - 1, bytes.length - 1)]! ^= 1 << random.below(8);
      }
    }
    return withSize(bytes);
  }

  #anyHandle(): number {
    const { random } = this;
    return random.pick([
      FIRST + random.below(4),
      FIRST + random.below(40),
      LOADED + random.below(64),
      0x03000000 + random.below(64),
      0x81000000 + random.below(2),
      TPM_RH.OWNER,
      TPM_RH.NULL,
      random.below(2 ** 32),
    ]);
  }

  close(): void | Promise<void> {
    return this.wire.close();
  }
}

/** HierarchyControl, Clear and their like are outside of the range; what else is everybody's. */
const GLOBAL: ReadonlySet<number> = new Set([
  ...[0x129, 0x12b, 0x12d, 0x12e, 0x12f, 0x130, 0x139, 0x13a, 0x140, 0x143, 0x145],
]);

/** The header's size is right, so that the TPM looks further. */
function withSize(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  new DataView(bytes.buffer).setUint32(AT.size, bytes.length);
  return bytes;
}

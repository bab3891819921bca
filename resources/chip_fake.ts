// A TPM of so many slots, for tests: it knows ContextSave, ContextLoad and FlushContext, its contexts
// are names of what it has, and it refuses what a TPM refuses.
import { u32 } from "../wire/codec.ts";
import { Tpm2, TpmRc } from "../wire/codes.ts";
import { commandHeader, responseHeader } from "../wire/tpm.ts";
import { answerOf, UNKNOWN_PARAMETER, unknownHandle } from "./refusals.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const FIRST_OBJECT = 0x8000_0000;
const FIRST_SESSION = 0x0200_0000;
const CONTEXT_SIZE = 16;
const INTEGRITY = 0x1df;

interface Thing {
  name: number;
  sequence: boolean;
  /** Of a session: the count of its context. */
  count: number;
}

export class FakeChip {
  /** What is in the slots, by handle. */
  readonly objects = new Map<number, Thing>();
  readonly sessions = new Map<number, Thing>();
  /** Sessions that are saved; each context loads once. */
  readonly saved = new Map<number, Thing>();
  /** Contexts of these do not load any more. */
  readonly dead = new Set<number>();
  /** What was asked, in words. */
  readonly calls: string[] = [];
  #count = 3;
  #made = 0;
  /** Answers all that comes with this code. */
  failure: number | undefined;

  constructor(readonly slots = 3, readonly gap = 100) {}

  makeObject(sequence = false): number {
    return this.#placeObject({ name: ++this.#made, sequence, count: 0 })!;
  }

  startSession(): number {
    const number = [...Array(64).keys()].find((n) =>
      !this.sessions.has(FIRST_SESSION + n) && !this.saved.has(FIRST_SESSION + n)
    )!;
    this.sessions.set(FIRST_SESSION + number, { name: ++this.#made, sequence: false, count: 0 });
    return FIRST_SESSION + number;
  }

  #placeObject(thing: Thing): number | undefined {
    for (let handle = FIRST_OBJECT; handle < FIRST_OBJECT + this.slots; handle++) {
      if (this.objects.has(handle)) continue;
      this.objects.set(handle, thing);
      return handle;
    }
    return undefined;
  }

  readonly ask = (command: Bytes, size: number): Bytes => {
    if (this.failure !== undefined) return answerOf(this.failure);
    const bytes = command.slice(0, size);
    const { code } = commandHeader.read(bytes, 0);
    const rest = bytes.subarray(commandHeader.size);
    switch (code) {
      case Tpm2.CC_ContextSave:
        return this.#save(u32.read(rest, 0));
      case Tpm2.CC_ContextLoad:
        return this.#load(rest);
      case Tpm2.CC_FlushContext:
        return this.#flush(u32.read(rest, 0));
      default:
        throw new Error(`a command ${code.toString(16)}`);
    }
  };

  #save(handle: number): Bytes {
    this.calls.push(`save ${handle.toString(16)}`);
    const object = this.objects.get(handle);
    if (object !== undefined) {
      return success(0, object.name, FIRST_OBJECT + (object.sequence ? 1 : 0));
    }
    const session = this.sessions.get(handle);
    if (session === undefined) return answerOf(unknownHandle(0));
    if (this.#isTooWide) return answerOf(TpmRc.CONTEXT_GAP);
    session.count = ++this.#count;
    this.sessions.delete(handle);
    this.saved.set(handle, session);
    return success(session.count, session.name, handle);
  }

  get #isTooWide(): boolean {
    const [oldest] = [...this.saved.values()].sort((one, other) => one.count - other.count);
    return oldest !== undefined && this.#count + 1 - oldest.count >= this.gap;
  }

  #load(context: Bytes): Bytes {
    const [count, handle, name] = [4, 8, 12].map((at) => u32.read(context, at)) as [
      number,
      number,
      number,
    ];
    this.calls.push(`load ${name}`);
    if (this.dead.has(name)) return answerOf(INTEGRITY);
    if (handle >= FIRST_OBJECT) {
      const sequence = handle === FIRST_OBJECT + 1;
      const placed = this.#placeObject({ name, sequence, count: 0 });
      return placed === undefined ? answerOf(TpmRc.OBJECT_MEMORY) : withHandle(placed);
    }
    const session = this.saved.get(handle);
    if (session?.count !== count || session.name !== name) return answerOf(UNKNOWN_PARAMETER);
    if (this.sessions.size >= this.slots) return answerOf(TpmRc.SESSION_MEMORY);
    this.saved.delete(handle);
    this.sessions.set(handle, session);
    return withHandle(handle);
  }

  #flush(handle: number): Bytes {
    this.calls.push(`flush ${handle.toString(16)}`);
    const gone = [this.objects, this.sessions, this.saved].some((map) => map.delete(handle));
    return answerOf(gone ? TpmRc.SUCCESS : UNKNOWN_PARAMETER);
  }
}

function success(count: number, name: number, handle: number): Bytes {
  const response = new Uint8Array(responseHeader.size + CONTEXT_SIZE);
  const size = response.length;
  responseHeader.write(response, 0, { tag: Tpm2.ST_NO_SESSIONS, size, code: TpmRc.SUCCESS });
  [0, count, handle, name].forEach((value, at) =>
    u32.write(response, responseHeader.size + at * u32.size, value)
  );
  return response;
}

function withHandle(handle: number): Bytes {
  const response = new Uint8Array(responseHeader.size + u32.size);
  const size = response.length;
  responseHeader.write(response, 0, { tag: Tpm2.ST_NO_SESSIONS, size, code: TpmRc.SUCCESS });
  u32.write(response, responseHeader.size, handle);
  return response;
}

// The commands for which a resource manager does more than have loaded what they name: those that save,
// load and end contexts, that ask what there is, and that have the TPM lose what it has loaded.
import { u32 } from "../wire/codec.ts";
import { Tpm2, TpmRc } from "../wire/codes.ts";
import { commandHeader, responseHeader } from "../wire/tpm.ts";
import { capabilityHead, getCapability, putHandle, taggedProperty } from "./chip.ts";
import { type Context, CONTEXT_MIN, savedHandleAt } from "./context.ts";
import type { Errand } from "./errand.ts";
import { HandleType, isSessionType } from "./handle_types.ts";
import { handleAt, HANDLES_AT } from "./named.ts";
import { FIRST_OBJECT, type Objects } from "./objects.ts";
import {
  answerOf,
  NO_PARAMETER,
  TOO_MANY_OBJECTS,
  TOO_MANY_SESSIONS,
  UNKNOWN_PARAMETER,
  unknownHandle,
} from "./refusals.ts";
import type { Session, Sessions } from "./sessions.ts";
import { OBJECTS_MAX, SESSIONS_MAX } from "./space.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** What is to be done with a command: it goes its way, unchanged or as others do, or is answered. */
export type Course = "pass on" | "as others" | Bytes;

const capabilityAt = getCapability.reader("capability");
const propertyAt = getCapability.reader("property");
const propertyCountAt = getCapability.reader("propertyCount");
const NUMBER = 0xff_ffff;
/** No gap is too wide: that is what it is there for. */
const NO_GAP_MAX = 0xffff_ffff;

export class SpecialCommands {
  constructor(private readonly objects: Objects, private readonly sessions: Sessions) {}

  course(errand: Errand): Course {
    switch (errand.code) {
      case Tpm2.CC_FlushContext:
        return this.#flushContext(errand);
      case Tpm2.CC_ContextSave:
        return this.#contextSave(errand);
      case Tpm2.CC_ContextLoad:
        return this.#contextLoad(errand);
      case Tpm2.CC_GetCapability:
        return this.#getCapability(errand);
      case Tpm2.CC_Shutdown:
        // After it, saving and loading would tell the TPM that it goes on.
        this.sessions.swapOutAll();
        this.objects.swapOutAll();
        return "as others";
      default:
        // What goes with a hierarchy would leave slots, unseen.
        this.objects.swapOutAll();
        return "as others";
    }
  }

  /** Its handle is a parameter. What is not loaded needs no TPM. */
  #flushContext(errand: Errand): Course {
    const { bytes, space } = errand;
    if (!errand.isBare(u32.size)) return "pass on";
    const handle = handleAt(bytes, HANDLES_AT);
    const type = handle >>> 24;
    if (isSessionType(type)) {
      const session = this.sessions.get(handle);
      if (session === undefined || !this.#mayEnd(session, space)) {
        return answerOf(
          (handle & NUMBER) < Tpm2.ACTIVE_SESSIONS_MAX ? UNKNOWN_PARAMETER : NO_PARAMETER,
        );
      }
      if (session.context === undefined) {
        errand.endsSession = session;
        return "pass on";
      }
      this.sessions.end(session);
      return answerOf(TpmRc.SUCCESS);
    }
    if (type !== HandleType.TRANSIENT) return "pass on";
    const held = space.objects.get(handle);
    if (held === undefined) {
      return answerOf(handle < FIRST_OBJECT + OBJECTS_MAX ? UNKNOWN_PARAMETER : NO_PARAMETER);
    }
    if (held.handle === undefined) {
      this.objects.forget(held);
      return answerOf(TpmRc.SUCCESS);
    }
    putHandle(bytes, 0, held.handle);
    errand.endsObject = held;
    return "pass on";
  }

  /** Its own; and what clients saved that have gone, as nobody else would end it. */
  #mayEnd(session: Session, space: object): boolean {
    return session.owner === space || session.owner === undefined;
  }

  /** An object stays what it is; a session is its client's affair from then on. */
  #contextSave(errand: Errand): Course {
    const { bytes, space } = errand;
    if (!errand.isBare(u32.size)) return "as others";
    const handle = handleAt(bytes, HANDLES_AT);
    if (!isSessionType(handle >>> 24)) return "as others";
    const session = this.sessions.get(handle);
    if (session === undefined || session.owner !== space || session.handedOut !== undefined) {
      return answerOf(unknownHandle(0));
    }
    const { context } = session;
    if (context !== undefined) {
      session.handedOut = context;
      return contextAnswer(context);
    }
    this.sessions.prepareSave(session);
    this.sessions.pin(session);
    errand.saves = session;
    return "pass on";
  }

  #contextLoad(errand: Errand): Course {
    const { bytes, size, space } = errand;
    const isWhole = size >= commandHeader.size + CONTEXT_MIN;
    if (!isWhole || !errand.isBare(size - commandHeader.size)) return "pass on";
    const saved = savedHandleAt(bytes, commandHeader.size);
    const type = saved >>> 24;
    if (type === HandleType.TRANSIENT) {
      if (space.objects.size >= OBJECTS_MAX) return answerOf(TOO_MANY_OBJECTS);
      this.objects.makeRoom(1);
    } else if (isSessionType(type)) {
      if (this.sessions.countOf(space) >= SESSIONS_MAX) return answerOf(TOO_MANY_SESSIONS);
      this.sessions.makeRoom(1);
      errand.loadsSession = this.sessions.get(saved);
    }
    errand.loads = bytes.subarray(commandHeader.size, size);
    return "pass on";
  }

  /** A client sees its own handles. Under a session the answer has an HMAC, and stays what it is. */
  #getCapability(errand: Errand): Course {
    const { bytes } = errand;
    if (!errand.isBare(getCapability.size - commandHeader.size)) return "as others";
    const property = propertyAt(bytes, 0);
    switch (capabilityAt(bytes, 0)) {
      case Tpm2.CAP_TPM_PROPERTIES:
        errand.showsGap = property <= Tpm2.PT_CONTEXT_GAP_MAX;
        return "pass on";
      case Tpm2.CAP_HANDLES: {
        const handles = this.#handles(errand, property);
        return handles === undefined
          ? "pass on"
          : handlesAnswer(handles, propertyCountAt(bytes, 0));
      }
      default:
        return "pass on";
    }
  }

  /** The handles of the property's type from it on; undefined for a type that all clients share. */
  #handles({ space }: Errand, property: number): number[] | undefined {
    switch (property >>> 24) {
      case HandleType.TRANSIENT:
        return [...space.objects.keys()].sort((a, b) => a - b)
          .filter((handle) => handle >= property);
      case HandleType.LOADED_SESSION:
        return this.#sessionsFrom(
          property,
          ({ owner, handedOut }) => owner === space && handedOut === undefined,
        ).map(({ handle }) => handle);
      case HandleType.SAVED_SESSION:
        // The TPM has forgotten of what kind they are.
        return this.#sessionsFrom(
          property,
          ({ owner, handedOut }) =>
            handedOut !== undefined && (owner === space || owner === undefined),
        )
          .map(({ number }) => HandleType.LOADED_SESSION << 24 | number);
      default:
        return undefined;
    }
  }

  #sessionsFrom(property: number, wanted: (session: Session) => boolean): Session[] {
    return this.sessions.list(wanted).filter(({ number }) => number >= (property & NUMBER));
  }
}

function contextAnswer(context: Context): Bytes {
  const size = responseHeader.size + context.length;
  const header = { tag: Tpm2.ST_NO_SESSIONS, size, code: TpmRc.SUCCESS };
  return responseHeader.encode(header, context);
}

function handlesAnswer(handles: readonly number[], max: number): Bytes {
  const shown = handles.slice(0, max);
  const size = capabilityHead.size + shown.length * u32.size;
  const answer = new Uint8Array(size);
  capabilityHead.write(answer, 0, {
    ...{ tag: Tpm2.ST_NO_SESSIONS, size, code: TpmRc.SUCCESS },
    ...{ moreData: shown.length < handles.length ? 1 : 0, capability: Tpm2.CAP_HANDLES },
    count: shown.length,
  });
  shown.forEach((handle, at) => u32.write(answer, capabilityHead.size + at * u32.size, handle));
  return answer;
}

/** Has an answer with properties of the TPM tell that no gap is too wide. */
export function hideGap(answer: Bytes): void {
  if (answer.length < capabilityHead.size) return;
  const { size } = taggedProperty;
  for (let at = capabilityHead.size; at + size <= answer.length; at += size) {
    const { property } = taggedProperty.read(answer, at);
    if (property !== Tpm2.PT_CONTEXT_GAP_MAX) continue;
    taggedProperty.write(answer, at, { property, value: NO_GAP_MAX });
  }
}

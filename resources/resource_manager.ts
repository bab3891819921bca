// The resource manager: connections share a TPM of few slots, each with objects and sessions of its own
// (design of Linux' /dev/tpmrm0 and of tpm2-abrmd, but nothing is moved before a slot is needed). What a
// command names is looked up in its connection's space, had loaded, and put in its place; the rest is
// the TPM's affair.
import type { Keeper } from "../tpm/keeper.ts";
import type { Answer, Space } from "../tpm/responder.ts";
import type { Tpm } from "../tpm/tpm.ts";
import { Tpm2, TpmRc } from "../wire/codes.ts";
import { commandHeader } from "../wire/tpm.ts";
import { Chip, loadCommand, putHandle, resultOf, returnedHandle, type Swaps } from "./chip.ts";
import { CommandTable, Kind } from "./command_table.ts";
import { savedHandleAt, SEQUENCE } from "./context.ts";
import { Errand } from "./errand.ts";
import { HandleType, isSessionType } from "./handle_types.ts";
import { FIRST_OBJECT, type Held, Objects } from "./objects.ts";
import {
  answerOf,
  isGone,
  noHandle,
  TOO_MANY_OBJECTS,
  TOO_MANY_SESSIONS,
  unknownHandle,
  unknownSession,
} from "./refusals.ts";
import { type Session, Sessions } from "./sessions.ts";
import { ClientSpace, type House, OBJECTS_MAX, SESSIONS_MAX } from "./space.ts";
import { hideGap, SpecialCommands } from "./special_commands.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** What is asked of the chip. */
export type ManagedTpm = Pick<
  Tpm,
  "running" | "pending" | "occupy" | "ask" | "answered" | "process" | "processAt" | "keeper"
>;

/** A command is sent again as often: each time there is one slot more, and there are few. */
const TRIES = 8;

export class ResourceManager implements House, Keeper {
  readonly table = new CommandTable();
  readonly #chip: Chip;
  readonly #objects: Objects;
  readonly #sessions: Sessions;
  readonly #special: SpecialCommands;
  readonly #errand = new Errand();
  /** The table is filled, and what is known of sessions is what the TPM has. */
  #settled = false;
  /** Something of ours may be in the TPM's slots, or is to be looked after before others have it. */
  #present = false;
  /** Spaces whose connections ended while a command runs. */
  readonly #closing: ClientSpace[] = [];
  /** For connections that have the TPM bare: before their commands it is left empty. */
  readonly bare: Space;

  constructor(private readonly tpm: ManagedTpm) {
    this.#chip = new Chip((command, size) =>
      tpm.running ? tpm.ask(command, size) : answerOf(TpmRc.FAILURE)
    );
    this.#objects = new Objects(this.#chip);
    this.#sessions = new Sessions(this.#chip);
    this.#special = new SpecialCommands(this.#objects, this.#sessions);
    this.bare = {
      process: (message, size) => {
        if (this.#present) this.giveWay();
        return tpm.process(message, size);
      },
      processAt: (locality, command, size) => {
        if (this.#present) this.giveWay();
        return tpm.processAt(locality, command, size);
      },
      close() {},
    };
    tpm.keeper = this;
  }

  /** A space for a connection. */
  open(): ClientSpace {
    return new ClientSpace(this);
  }

  /** How often objects and sessions went to and fro, since the beginning. */
  get counts() {
    const { objects, sessions } = this.#chip;
    return { objects, sessions, ...this.#sessions.counts };
  }

  /** The same in a sentence. */
  get summary(): string {
    const { objects, sessions, renewed, orphansEnded } = this.counts;
    const of = ({ saved, loaded, flushed }: Swaps) =>
      `saved ${saved} times, loaded ${loaded}, flushed ${flushed}`;
    return `Resource manager: objects ${of(objects)}; sessions ${of(sessions)}, ` +
      `saved anew ${renewed}, ended without a client ${orphansEnded}`;
  }

  /** What the TPM has loaded of ours, and how many sessions it knows of ours in all. */
  get loaded() {
    return {
      objects: this.#objects.loadedCount,
      sessions: this.#sessions.loadedCount,
      active: this.#sessions.size,
    };
  }

  pass(locality: number | undefined, command: Bytes, size: number): Answer {
    return locality === undefined
      ? this.tpm.process(command, size)
      : this.tpm.processAt(locality, command, size);
  }

  serve(space: ClientSpace, locality: number | undefined, command: Bytes, size: number): Answer {
    // A TPM that is off, not started or has failed refuses whatever may be asked of it.
    if (!this.#settled && !this.#settle()) return this.pass(locality, command, size);
    this.#present = true;
    const errand = this.#errand;
    errand.begin(space, locality, command, size);
    const kind = this.table.kindOf(errand.code);
    if (kind === 0 || !errand.hasSoundHeader) return this.pass(locality, command, size);
    this.#objects.unpin();
    this.#sessions.unpin();
    const course = (kind & Kind.SPECIAL) === 0 ? "as others" : this.#special.course(errand);
    let answer = course instanceof Uint8Array ? course : undefined;
    if (course === "as others") {
      const { named } = errand;
      named.read(command, size, (kind & Kind.HANDLES) >> Kind.HANDLES_SHIFT);
      const makesNothing = (kind & ~(Kind.PLAIN | Kind.HANDLES)) === 0;
      if (makesNothing && !named.namesHeld) return this.pass(locality, command, size);
      answer = this.#prepare(errand, kind);
    }
    if (answer === undefined) return this.#send(errand, kind);
    this.tpm.answered(command.subarray(0, size), answer);
    return answer;
  }

  /** Has all that a command names loaded, and room for what it makes; the refusal otherwise. */
  #prepare(errand: Errand, kind: number): Bytes | undefined {
    const { space } = errand;
    const refusal = this.#pinHandles(errand) ?? this.#pinSessions(errand);
    if (refusal !== undefined) return refusal;
    if ((kind & Kind.MAKES) !== 0 && (kind & Kind.RETURNS) !== 0) {
      if (space.objects.size >= OBJECTS_MAX) return answerOf(TOO_MANY_OBJECTS);
    }
    if (errand.code === Tpm2.CC_StartAuthSession) {
      if (this.#sessions.countOf(space) >= SESSIONS_MAX) return answerOf(TOO_MANY_SESSIONS);
    }
    return this.#load(errand, kind);
  }

  /** Finds the handles of the handle area among the space's; the first that is not is refused. */
  #pinHandles({ space, named }: Errand): Bytes | undefined {
    for (let index = 0; index < named.handleCount; index++) {
      const handle = named.handles[index]!;
      const type = handle >>> 24;
      if (type === HandleType.TRANSIENT) {
        const held = space.objects.get(handle);
        if (held === undefined) {
          const couldBe = handle < FIRST_OBJECT + OBJECTS_MAX;
          return answerOf(couldBe ? unknownHandle(index) : noHandle(index));
        }
        this.#objects.pin(held);
      } else if (isSessionType(type)) {
        const session = this.#liveSession(space, handle);
        if (session === undefined) return answerOf(unknownHandle(index));
        this.#sessions.pin(session);
      }
    }
    return undefined;
  }

  #pinSessions({ space, named }: Errand): Bytes | undefined {
    for (let index = 0; index < named.sessionCount; index++) {
      const handle = named.sessions[index]!;
      if (!isSessionType(handle >>> 24)) continue; // a password, or nothing that can be one
      const session = this.#liveSession(space, handle);
      if (session === undefined) return answerOf(unknownSession(index));
      this.#sessions.pin(session);
    }
    return undefined;
  }

  /** A session of the space's own that its client has not saved. */
  #liveSession(space: ClientSpace, handle: number): Session | undefined {
    const session = this.#sessions.get(handle);
    return session?.owner === space && session.handedOut === undefined ? session : undefined;
  }

  /** Loads what is pinned and is not loaded, and puts objects' handles in the place of the client's. */
  #load(errand: Errand, kind: number): Bytes | undefined {
    const { space, bytes, named } = errand;
    let slots = (kind & Kind.MAKES) === 0 ? 0 : 1;
    for (let index = 0; index < named.sessionCount; index++) {
      const handle = named.sessions[index]!;
      const session = isSessionType(handle >>> 24) ? this.#sessions.get(handle) : undefined;
      if (session?.context === undefined) continue;
      const code = this.#sessions.load(session);
      if (code !== TpmRc.SUCCESS) return answerOf(isGone(code) ? unknownSession(index) : code);
    }
    for (let index = 0; index < named.handleCount; index++) {
      const handle = named.handles[index]!;
      const type = handle >>> 24;
      let code: number = TpmRc.SUCCESS;
      if (type === HandleType.TRANSIENT) {
        const held: Held = space.objects.get(handle)!;
        if (held.handle === undefined) code = this.#objects.load(held);
        if (code === TpmRc.SUCCESS) putHandle(bytes, index, held.handle!);
      } else if (isSessionType(type)) {
        const session = this.#sessions.get(handle)!;
        if (session.context !== undefined) code = this.#sessions.load(session);
      } else if (type === HandleType.PERSISTENT) slots++;
      if (code !== TpmRc.SUCCESS) return answerOf(isGone(code) ? unknownHandle(index) : code);
    }
    if (slots > 0) this.#objects.makeRoom(slots);
    if (errand.code === Tpm2.CC_StartAuthSession) this.#sessions.makeRoom(1);
    return undefined;
  }

  #send(errand: Errand, kind: number): Answer {
    errand.keepBytes();
    for (let left = TRIES;; left--) {
      const answer = this.#try(errand);
      if (answer instanceof Promise) return this.tpm.occupy(this.#sendLater(errand, kind, answer));
      const code = resultOf(answer);
      if (code === TpmRc.SUCCESS) return this.#done(errand, kind, answer);
      if (left === 0 || !this.#makeWay(code)) return answer;
      errand.restoreBytes();
    }
  }

  /** The same for a command that runs in another thread, until it is over in all respects. */
  async #sendLater(errand: Errand, kind: number, first: Promise<Bytes>): Promise<Bytes> {
    try {
      let answer = await first;
      for (let left = TRIES; left > 0 && this.#makeWay(resultOf(answer)); left--) {
        errand.restoreBytes();
        answer = await this.#try(errand);
      }
      return resultOf(answer) === TpmRc.SUCCESS ? this.#done(errand, kind, answer) : answer;
    } finally {
      for (const space of this.#closing.splice(0)) this.#closeNow(space);
    }
  }

  #try({ locality, bytes, size, loads, loadsSession }: Errand): Answer {
    if (loads !== undefined) {
      const current = this.#sessions.current(loadsSession, loads);
      if (current !== loads) {
        const command = new Uint8Array(commandHeader.size + current.length);
        return this.pass(locality, command, loadCommand(command, current));
      }
    }
    return this.pass(locality, bytes, size);
  }

  /** Whether a command that the TPM refused for want of room may be sent again. */
  #makeWay(code: number): boolean {
    switch (code) {
      case TpmRc.OBJECT_MEMORY:
        return this.#objects.evictOne();
      case TpmRc.SESSION_MEMORY:
        return this.#sessions.evictOne();
      case TpmRc.CONTEXT_GAP:
        return this.#sessions.renewOldest();
      case TpmRc.SESSION_HANDLES:
        return this.#sessions.endOldestOrphan();
      default:
        return false;
    }
  }

  /** The TPM has done it: what it made is the space's, what it ended is no more. */
  #done(errand: Errand, kind: number, answer: Bytes): Bytes {
    const { space, loads } = errand;
    if ((kind & Kind.RETURNS) !== 0) {
      const handle = returnedHandle(answer);
      if (handle !== undefined && isSessionType(handle >>> 24)) this.#sessions.add(space, handle);
      else if (handle !== undefined && handle >>> 24 === HandleType.TRANSIENT) {
        // What never changes can be loaded again by the client's own context.
        const lasts = loads !== undefined && savedHandleAt(loads, 0) !== SEQUENCE;
        const context = lasts ? this.#chip.shelf.keep(loads) : undefined;
        putHandle(answer, 0, this.#objects.add(space, handle, context).virtual);
      }
    }
    if (errand.saves !== undefined) {
      const context = answer.slice(commandHeader.size);
      this.#sessions.saved(errand.saves, context, context);
    }
    if (errand.endsObject !== undefined) this.#objects.forget(errand.endsObject);
    if (errand.endsSession !== undefined) this.#sessions.forget(errand.endsSession);
    if (errand.showsGap) hideGap(answer);
    this.#end(errand, kind);
    return answer;
  }

  /** What a command ends by itself: a sequence, sessions that it does not have continued. */
  #end({ space, named }: Errand, kind: number): void {
    const ended = kind & Kind.ENDS_FIRST ? 0 : kind & Kind.ENDS_SECOND ? 1 : undefined;
    if (ended !== undefined) {
      const held = space.objects.get(named.handles[ended]!);
      if (held !== undefined) this.#objects.forget(held);
    }
    for (let index = 0; index < named.sessionCount; index++) {
      if (named.continues[index] !== 0) continue;
      const session = this.#sessions.get(named.sessions[index]!);
      if (session !== undefined) this.#sessions.forget(session);
    }
  }

  close(space: ClientSpace): void {
    if (this.tpm.pending === undefined) this.#closeNow(space);
    else this.#closing.push(space);
  }

  #closeNow(space: ClientSpace): void {
    this.#objects.close(space);
    if (this.#settled) this.#sessions.close(space);
    else this.#sessions.abandon(space);
  }

  giveWay(): void {
    if (!this.tpm.running) return;
    if (!this.#settled && this.#sessions.size > 0 && !this.#settle()) return;
    this.#objects.swapOutAll();
    this.#sessions.swapOutAll();
    this.#sessions.doubtAll();
    this.#present = false;
  }

  moveOut(): void {
    if (!this.tpm.running) return;
    this.#objects.swapOutAll();
    this.#sessions.endAll();
  }

  powerLost(): void {
    this.#objects.powerLost();
    this.#sessions.powerLost();
    this.table.clear();
    this.#settled = false;
    this.#present = true;
  }

  /** Learns what the TPM is like that is on now; false where it does not tell. */
  #settle(): boolean {
    if (!this.tpm.running) return false;
    const commands = this.#chip.commands();
    if (commands === undefined) return false;
    this.#objects.slots = this.#chip.property(Tpm2.PT_HR_TRANSIENT_MIN) ?? this.#objects.slots;
    this.#sessions.slots = this.#chip.property(Tpm2.PT_HR_LOADED_MIN) ?? this.#sessions.slots;
    if (this.#sessions.size > 0) this.#sessions.keepOnly(this.#chip.savedSessions() ?? []);
    this.table.fill(commands);
    return this.#settled = true;
  }
}

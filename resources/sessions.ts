// The sessions of all spaces, by the numbers that the TPM gave them: which are loaded, which were saved,
// by us for a slot or by their client, and the gap that the TPM can bear between the session that was
// saved longest ago and the next one. Before that is too wide the oldest is loaded and saved again,
// which makes what a client holds of it stale: what it will hand in is kept beside what the TPM takes.
import { TpmRc } from "../wire/codes.ts";
import { type Chip, isHandle } from "./chip.ts";
import { type Context, countOf, isSameContext } from "./context.ts";
import { isSessionType } from "./handle_types.ts";
import { isGone } from "./refusals.ts";

/** A session's handle: its kind in the high byte, its number in the others. */
const NUMBER = 0xff_ffff;

export interface Session {
  readonly number: number;
  readonly handle: number;
  /** Whose it is; one that a client saved stays when the client has gone. */
  owner: object | undefined;
  /** Its context where it is not loaded. */
  context: Context | undefined;
  /** What the client has of it, which saved it itself: it is no session of any client until loaded. */
  handedOut: Context | undefined;
  /** The command that is being served needs it. */
  pinned: boolean;
  /** Others had the TPM since it was saved, and may have ended it and started one of its number. */
  doubtful: boolean;
}

export class Sessions {
  readonly #all = new Map<number, Session>();
  /** Those that are loaded, who was used longest ago first. */
  readonly #loaded: Session[] = [];
  /** Those that are not, the one that was saved longest ago first. */
  readonly #saved = new Set<Session>();
  /** The TPM's count at the last save. */
  #count = 0;
  /** How many the TPM has room for. */
  slots = 3;
  /** libtpms bears a gap of 65,531; far below that, no answer of the TPM's is needed to know. */
  gapWished = 0x8000;
  /** How many were saved anew for the gap, and how many of clients that had gone were ended. */
  readonly counts = { renewed: 0, orphansEnded: 0 };

  constructor(private readonly chip: Chip) {}

  get size(): number {
    return this.#all.size;
  }

  get loadedCount(): number {
    return this.#loaded.length;
  }

  /** By a handle of either kind, as a saved policy session is called one for HMACs. */
  get(handle: number): Session | undefined {
    return isSessionType(handle >>> 24) ? this.#all.get(handle & NUMBER) : undefined;
  }

  /** How many an owner has that it has not saved. */
  countOf(owner: object): number {
    let count = 0;
    for (const session of this.#all.values()) {
      if (session.owner === owner && session.handedOut === undefined) count++;
    }
    return count;
  }

  /** Those that `wanted` holds for, by their numbers. */
  list(wanted: (session: Session) => boolean): Session[] {
    return [...this.#all.values()].filter(wanted).sort((a, b) => a.number - b.number);
  }

  /** The TPM has started or loaded it for an owner. Whatever had its number before is no more. */
  add(owner: object, handle: number): void {
    const before = this.get(handle);
    if (before !== undefined) this.forget(before);
    const session: Session = {
      ...{ number: handle & NUMBER, handle, owner, pinned: false, doubtful: false },
      ...{ context: undefined, handedOut: undefined },
    };
    this.#all.set(session.number, session);
    this.#loaded.push(session);
  }

  /** The next command needs nothing yet. */
  unpin(): void {
    for (const session of this.#loaded) session.pinned = false;
  }

  pin(session: Session): void {
    session.pinned = true;
    if (session.context !== undefined || this.#loaded[this.#loaded.length - 1] === session) return;
    this.#loaded.splice(this.#loaded.indexOf(session), 1);
    this.#loaded.push(session);
  }

  /** Brings a session back: 0, or the code of the TPM's refusal. It may be gone then. */
  load(session: Session): number {
    this.makeRoom(1);
    for (;;) {
      const code = this.#load(session);
      // It may have been loaded and saved once more, for the gap, to make that room.
      session.pinned = code === TpmRc.SUCCESS;
      if (session.pinned) return code;
      if (code === TpmRc.SESSION_MEMORY && this.evictOne()) continue;
      if (code === TpmRc.CONTEXT_GAP && this.renewOldest()) continue;
      return code;
    }
  }

  #load(session: Session): number {
    const handle = this.chip.load(session.context!);
    if (!isHandle(handle)) {
      if (isGone(handle)) this.forget(session);
      return handle;
    }
    this.#release(session);
    session.doubtful = false;
    this.#saved.delete(session);
    this.#loaded.push(session);
    return TpmRc.SUCCESS;
  }

  /** Sees to so many free slots, as far as others than the present command hold them. */
  makeRoom(count: number): void {
    while (this.#loaded.length + count > this.slots && this.evictOne());
  }

  /** Swaps out who was used longest ago and is not needed now; false where there is nobody. */
  evictOne(): boolean {
    const session = this.#loaded.find(({ pinned }) => !pinned);
    if (session === undefined || !this.#swapOut(session)) return false;
    this.renewOverdue();
    return true;
  }

  swapOutAll(): void {
    for (const session of [...this.#loaded]) this.#swapOut(session);
    this.renewOverdue();
  }

  /** False where the TPM saves nothing, as in failure mode, or when the gap is too wide. */
  #swapOut(session: Session): boolean {
    const saved = this.chip.save(session.handle);
    if (typeof saved !== "number") this.saved(session, saved);
    else if (!isGone(saved)) return false;
    else this.forget(session);
    return true;
  }

  /** It was saved, by its client where that gets the context, too. */
  saved(session: Session, context: Context, handedOut?: Context): void {
    const at = this.#loaded.indexOf(session);
    if (at >= 0) this.#loaded.splice(at, 1);
    this.#release(session);
    session.context = context;
    session.handedOut = handedOut;
    session.pinned = false;
    this.#saved.delete(session);
    this.#saved.add(session);
    this.#count = countOf(context);
  }

  /** It has no context any more. */
  #release(session: Session): void {
    const { context, handedOut } = session;
    session.context = this.chip.shelf.give(context);
    session.handedOut = handedOut === context ? undefined : this.chip.shelf.give(handedOut);
  }

  /** Sees to it that the TPM can save one that is loaded, while that stays where it is. */
  prepareSave(session: Session): void {
    if (!this.#isOverdue()) return;
    this.pin(session);
    this.makeRoom(1);
    this.renewOverdue();
  }

  #isOverdue(): boolean {
    const oldest = this.#oldest();
    return oldest !== undefined && this.#count - countOf(oldest.context!) > this.gapWished;
  }

  #oldest(): Session | undefined {
    for (const session of this.#saved) return session;
    return undefined;
  }

  /** One at a time is enough, as each save makes the gap wider by one. */
  renewOverdue(): void {
    if (this.#isOverdue()) this.renewOldest();
  }

  /** Loads the oldest and saves it again; false where that made the gap no smaller. */
  renewOldest(): boolean {
    const session = this.#oldest();
    if (session === undefined || this.#loaded.length >= this.slots) return false;
    const handedOut = session.handedOut && this.chip.shelf.keep(session.handedOut);
    const code = this.#load(session);
    if (code !== TpmRc.SUCCESS) {
      this.chip.shelf.give(handedOut);
      return isGone(code);
    }
    const saved = this.chip.save(session.handle);
    if (typeof saved === "number") return false;
    this.saved(session, saved, handedOut);
    this.counts.renewed++;
    return true;
  }

  /** What the TPM takes for what a client hands in; the same bytes where nothing is known of them. */
  current(session: Session | undefined, handedIn: Context): Context {
    const { handedOut, context } = session ?? {};
    if (handedOut === undefined || context === undefined) return handedIn;
    return isSameContext(handedOut, handedIn) ? context : handedIn;
  }

  /** Ends the one of a client that has gone which was saved longest ago; false where there is none. */
  endOldestOrphan(): boolean {
    for (const session of this.#saved) {
      if (session.owner !== undefined) continue;
      this.end(session);
      this.counts.orphansEnded++;
      return true;
    }
    return false;
  }

  /** Ends a session in the TPM. */
  end(session: Session): void {
    // It may be another one's by now: who can be loaded is ours.
    const code = session.doubtful ? this.#load(session) : TpmRc.SUCCESS;
    this.forget(session);
    if (!isGone(code)) this.chip.flush(session.handle);
  }

  /** It is gone already. */
  forget(session: Session): void {
    this.#release(session);
    this.#all.delete(session.number);
    this.#saved.delete(session);
    const at = this.#loaded.indexOf(session);
    if (at >= 0) this.#loaded.splice(at, 1);
  }

  /** What an owner has goes with it, but for what it saved. */
  close(owner: object): void {
    for (const session of this.list((session) => session.owner === owner)) {
      if (session.handedOut === undefined) this.end(session);
      else session.owner = undefined;
    }
  }

  /** The same where the TPM cannot be asked: {@linkcode keepOnly} ends them. */
  abandon(owner: object): void {
    for (const session of this.#all.values()) {
      if (session.owner === owner) session.owner = undefined;
    }
  }

  /** Ends all but those that clients saved. */
  endAll(): void {
    for (const session of this.list(({ handedOut }) => handedOut === undefined)) this.end(session);
  }

  /** Others have the TPM now. */
  doubtAll(): void {
    for (const session of this.#saved) session.doubtful = true;
  }

  /** The TPM is off: what was loaded is gone. */
  powerLost(): void {
    for (const session of [...this.#loaded]) this.forget(session);
  }

  /** The TPM is on again, and has these saved. */
  keepOnly(handles: readonly number[]): void {
    const numbers = new Set(handles.map((handle) => handle & NUMBER));
    for (const session of [...this.#saved]) {
      if (!numbers.has(session.number)) this.forget(session);
      else if (session.owner === undefined && session.handedOut === undefined) this.end(session);
    }
    // The gap is counted from one of them on, or anew.
    this.#count = 0;
    for (const { context } of this.#saved) this.#count = Math.max(this.#count, countOf(context!));
  }
}

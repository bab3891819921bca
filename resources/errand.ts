// One command on its way to the TPM: as the client sent it, what it names, and what becomes of that when
// the TPM has done it. As there is one at a time, one object serves all.
import { Tpm2 } from "../wire/codes.ts";
import { commandHeader } from "../wire/tpm.ts";
import type { Context } from "./context.ts";
import { codeAt, Named, sizeAt, tagAt } from "./named.ts";
import type { Held } from "./objects.ts";
import type { ClientSpace } from "./space.ts";
import type { Session } from "./sessions.ts";

type Bytes = Uint8Array<ArrayBuffer>;

export class Errand {
  space!: ClientSpace;
  /** As the simulator's protocol has it; undefined where the chip's holds. */
  locality: number | undefined;
  bytes!: Bytes;
  size = 0;
  code = 0;
  readonly named = new Named();
  /** What is gone after a success. */
  endsObject: Held | undefined;
  endsSession: Session | undefined;
  /** A session that its client saves. */
  saves: Session | undefined;
  /** A context that its client loads, and the session that it is of, where that is known. */
  loads: Context | undefined;
  loadsSession: Session | undefined;
  /** The answer may tell the gap that the TPM can bear. */
  showsGap = false;

  /** The command as it is sent first: the TPM decrypts a parameter where it stands. */
  #copy = new Uint8Array();
  #isCopied = false;

  begin(space: ClientSpace, locality: number | undefined, bytes: Bytes, size: number): void {
    this.space = space;
    this.locality = locality;
    this.bytes = bytes;
    this.size = size;
    this.code = codeAt(bytes, 0);
    this.named.handleCount = this.named.sessionCount = 0;
    this.endsObject = this.endsSession = this.saves = undefined;
    this.loads = this.loadsSession = undefined;
    this.showsGap = false;
    this.#isCopied = false;
  }

  /** Keeps what may be sent again, where the TPM may change it. */
  keepBytes(): void {
    if (this.named.sessionCount === 0) return;
    const { bytes, size } = this;
    if (this.#copy.length < size) this.#copy = new Uint8Array(bytes.length);
    this.#copy.set(bytes.subarray(0, size));
    this.#isCopied = true;
  }

  /** Makes the command what it was. */
  restoreBytes(): void {
    if (this.#isCopied) this.bytes.set(this.#copy.subarray(0, this.size));
  }

  /** Whether the TPM looks behind its header at all. */
  get hasSoundHeader(): boolean {
    const tag = tagAt(this.bytes, 0);
    return sizeAt(this.bytes, 0) === this.size &&
      (tag === Tpm2.ST_NO_SESSIONS || tag === Tpm2.ST_SESSIONS);
  }

  /** Whether it is nothing but a header and `size` bytes, without sessions. */
  isBare(size: number): boolean {
    return this.size === commandHeader.size + size && tagAt(this.bytes, 0) === Tpm2.ST_NO_SESSIONS;
  }
}

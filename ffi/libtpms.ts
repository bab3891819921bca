// libtpms as a value: its functions with plain arguments and results, its memory rules kept here.
// When to call what is the emulated chip's affair (tpm/).
import { TpmResult } from "../wire/codes.ts";
import { COMMAND_MAX } from "../wire/tpm.ts";
import { Callbacks, memoryAt, type NvStore, TpmResultError } from "./callbacks.ts";
import { cString, Handed, openLazily, openLibc, pointerTo, SystemError } from "./libc.ts";

/** errno of "cannot access a needed shared library", which dlopen(3) itself does not set. */
export const ELIBACC = 79;

/** The name that the C program is linked with. */
export const LIBTPMS = "libtpms.so.0";

// The C signatures (libtpms/tpm_library.h, tpm_tis.h). TPM_RESULT is uint32_t, enums are int.
const symbols = {
  TPMLIB_GetVersion: { parameters: [], result: "u32" },
  TPMLIB_ChooseTPMVersion: { parameters: ["i32"], result: "u32" },
  /** The struct is copied; what it points to must stay. */
  TPMLIB_RegisterCallbacks: { parameters: ["buffer"], result: "u32" },
  TPMLIB_MainInit: { parameters: [], result: "u32" },
  TPMLIB_Terminate: { parameters: [], result: "void" },
  /**
   * (unsigned char **response, uint32_t *response_size, uint32_t *buffer_size,
   * unsigned char *command, uint32_t command_size); libtpms reallocates the response buffer when
   * it is too small, and it stays ours for the next call.
   */
  TPMLIB_Process: {
    parameters: ["pointer", "pointer", "pointer", "pointer", "u32"],
    result: "u32",
  },
  processAside: {
    name: "TPMLIB_Process",
    parameters: ["pointer", "pointer", "pointer", "buffer", "u32"],
    result: "u32",
    nonblocking: true,
  },
  /** (unsigned char **buffer, uint32_t *length); the buffer is ours to free. */
  TPMLIB_VolatileAll_Store: { parameters: ["buffer", "buffer"], result: "u32" },
  /** The one function that may be called while another runs. */
  TPMLIB_CancelCommand: { parameters: [], result: "u32" },
  TPMLIB_GetTPMProperty: { parameters: ["i32", "buffer"], result: "u32" },
  /** char *(enum flags); ours to free. */
  TPMLIB_GetInfo: { parameters: ["i32"], result: "pointer" },
  /** (uint32_t wanted, uint32_t *min, uint32_t *max) → uint32_t actual */
  TPMLIB_SetBufferSize: { parameters: ["u32", "buffer", "buffer"], result: "u32" },
  /** (enum type, unsigned char **buffer, uint32_t *length); the buffer is ours to free. */
  TPMLIB_GetState: { parameters: ["i32", "buffer", "buffer"], result: "u32" },
  /** (enum type, const unsigned char *buffer, uint32_t length); copied. */
  TPMLIB_SetState: { parameters: ["i32", "buffer", "u32"], result: "u32" },
  TPMLIB_SetDebugFD: { parameters: ["i32"], result: "void" },
  TPMLIB_SetDebugLevel: { parameters: ["u32"], result: "void" },
  TPMLIB_SetDebugPrefix: { parameters: ["buffer"], result: "u32" },
  TPM_IO_Hash_Start: { parameters: [], result: "u32" },
  TPM_IO_Hash_Data: { parameters: ["buffer", "u32"], result: "u32" },
  TPM_IO_Hash_End: { parameters: [], result: "u32" },
  TPM_IO_TpmEstablished_Get: { parameters: ["buffer"], result: "u32" },
  TPM_IO_TpmEstablished_Reset: { parameters: [], result: "u32" },
  // Since libtpms 0.10:
  /** const char *json, copied. */
  TPMLIB_SetProfile: { parameters: ["buffer"], result: "u32", optional: true },
  TPMLIB_WasManufactured: { parameters: [], result: "u8", optional: true },
} as const;

/** Where in 32-bit words TPMLIB_Process finds `*response`, `*buffer_size` and `*response_size`. */
const Out = { POINTER_LOW: 0, POINTER_HIGH: 1, BUFFER_SIZE: 2, RESPONSE_SIZE: 3 } as const;
const OUT_WORDS = 4;

/** Memory that libtpms handed over is the C library's. */
const memorySymbols = {
  free: { parameters: ["pointer"], result: "void" },
} as const;

/** enum TPMLIB_TPMVersion */
export type LibtpmsVersion = 0 | 1;

/** enum TPMLIB_StateType */
export const StateType = { PERMANENT: 1, VOLATILE: 2, SAVE_STATE: 4 } as const;

/** enum TPMLIB_TPMProperty: the largest command of either version. The second is of libtpms 0.11. */
const Property = { BUFFER_MAX: 2, TPM2_BUFFER_MAX: 16 } as const;

/** enum TPMLIB_InfoFlags */
export const InfoFlag = {
  TPMSPECIFICATION: 1,
  TPMATTRIBUTES: 2,
  TPMFEATURES: 4,
  RUNTIME_ALGORITHMS: 8,
  RUNTIME_COMMANDS: 0x10,
  ACTIVE_PROFILE: 0x20,
  AVAILABLE_PROFILES: 0x40,
  RUNTIME_ATTRIBUTES: 0x80,
} as const;

/** What SetBufferSize answers; sizes in bytes. */
export interface BufferSize {
  size: number;
  min: number;
  max: number;
}

export class Libtpms {
  readonly #c;
  readonly #memory = openLibc(memorySymbols);
  /** Kept because libtpms calls into them as long as it lives. */
  #callbacks: Callbacks | undefined;
  /** Locality of the commands to come, 0 to 255. */
  locality = 0;
  /** Locality of the command that is being processed, or of the last one. */
  #locality = 0;
  #presence = false;

  readonly #command = new Handed();
  /** What TPMLIB_Process keeps and tells of the response; libtpms reallocates its memory. */
  readonly #out = new Uint32Array(OUT_WORDS);
  readonly #responsePointer = this.#pointerToOut(Out.POINTER_LOW);
  readonly #responseSize = this.#pointerToOut(Out.RESPONSE_SIZE);
  readonly #bufferSize = this.#pointerToOut(Out.BUFFER_SIZE);
  /** That memory, and where it is. */
  #memoryOfResponses: Uint8Array<ArrayBuffer> = new Uint8Array();
  #low = 0;
  #high = 0;
  /** The last response. */
  #response: Uint8Array<ArrayBuffer> = this.#memoryOfResponses;

  private constructor(path: string) {
    this.#c = openLazily(path, symbols, ["TPMLIB_Process"]);
    void this.#c.TPMLIB_GetVersion;
  }

  /** Opens the library. Throws {@linkcode SystemError}, which says what to install. */
  static open(path = LIBTPMS): Libtpms {
    try {
      return new Libtpms(path);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const reason = message.replace(/^(Could not open library: )+/, "");
      const hint = "\nInstall libtpms: 'apt-get install libtpms0' (Debian, Ubuntu), " +
        "'dnf install libtpms' (Fedora, RHEL), 'zypper install libtpms0' (openSUSE), " +
        "'pacman -S libtpms' (Arch), 'apk add libtpms' (Alpine)";
      throw new SystemError("dlopen", ELIBACC, "ELIBACC", reason + hint, path);
    }
  }

  /** major << 16 | minor << 8 | micro */
  get version(): number {
    return this.#c.TPMLIB_GetVersion();
  }

  /** Whether the library knows profiles (0.10 and later). */
  get hasProfiles(): boolean {
    return this.#c.TPMLIB_SetProfile !== null;
  }

  /** Chooses TPM 1.2 or TPM 2. Not possible between {@linkcode mainInit} and {@linkcode terminate}. */
  chooseVersion(version: LibtpmsVersion): number {
    return this.#c.TPMLIB_ChooseTPMVersion(version);
  }

  /** Hands in where the state is kept; before the first {@linkcode mainInit}. */
  register(nvram: NvStore): void {
    this.#callbacks = new Callbacks(nvram, () => this.#locality);
    this.#registerCallbacks(this.#callbacks);
  }

  /** Has libtpms know the locality of what is called next. */
  #useLocality(): void {
    if (this.#locality === this.locality || this.#callbacks === undefined) return;
    this.#locality = this.locality;
    this.#registerCallbacks(this.#callbacks);
  }

  /** Whether somebody is there who could press a button (TPM2_PP_Commands); false from the start. */
  set physicalPresence(there: boolean) {
    this.#presence = there;
    if (this.#callbacks !== undefined) this.#registerCallbacks(this.#callbacks);
  }

  #registerCallbacks(callbacks: Callbacks): void {
    this.#c.TPMLIB_RegisterCallbacks(callbacks.table(this.#locality !== 0, this.#presence));
  }

  /** Powers the TPM on: loads its state, or makes one. */
  mainInit(): number {
    return this.#c.TPMLIB_MainInit();
  }

  terminate(): void {
    this.#c.TPMLIB_Terminate();
  }

  /**
   * Has a command of `size` bytes processed. The response is libtpms' own memory: it is valid until
   * the next command. Throws {@linkcode TpmResultError} where there is no response at all.
   */
  process(command: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer> {
    this.#useLocality();
    return this.#responseOf(
      this.#c.TPMLIB_Process(
        this.#responsePointer,
        this.#responseSize,
        this.#bufferSize,
        this.#command.pointer(command),
        size,
      ),
    );
  }

  /** The same in another thread. Until it is done only {@linkcode cancel} may be called. */
  async processAside(
    command: Uint8Array<ArrayBuffer>,
    size: number,
  ): Promise<Uint8Array<ArrayBuffer>> {
    this.#useLocality();
    return this.#responseOf(
      await this.#c.processAside(
        this.#responsePointer,
        this.#responseSize,
        this.#bufferSize,
        command,
        size,
      ),
    );
  }

  #responseOf(result: number): Uint8Array<ArrayBuffer> {
    if (result !== TpmResult.SUCCESS) {
      throw new TpmResultError(result, `TPMLIB_Process failed: 0x${result.toString(16)}`);
    }
    const out = this.#out;
    const low = out[Out.POINTER_LOW]!;
    const high = out[Out.POINTER_HIGH]!;
    const capacity = out[Out.BUFFER_SIZE]!;
    const size = out[Out.RESPONSE_SIZE]!;
    if (low !== this.#low || high !== this.#high || capacity !== this.#memoryOfResponses.length) {
      this.#low = low;
      this.#high = high;
      const pointer = Deno.UnsafePointer.create(BigInt(high) << 32n | BigInt(low));
      this.#memoryOfResponses = pointer === null ? new Uint8Array() : memoryAt(pointer, capacity);
      this.#response = this.#memoryOfResponses;
    }
    // Most responses are as long as the one before: no garbage is made for them.
    if (size !== this.#response.length) {
      this.#response = this.#memoryOfResponses.subarray(0, size);
    }
    return this.#response;
  }

  #pointerToOut(word: number): Deno.PointerValue {
    return pointerTo(new Uint8Array(this.#out.buffer, word * this.#out.BYTES_PER_ELEMENT));
  }

  /** The TPM's volatile state, serialised. */
  volatileState(): Uint8Array<ArrayBuffer> {
    return this.#serialised("volatile", (...out) => this.#c.TPMLIB_VolatileAll_Store(...out));
  }

  /** The TPM's permanent state as it is in memory, serialised. */
  permanentState(): Uint8Array<ArrayBuffer> {
    return this.#serialised(
      "permanent",
      (...out) => this.#c.TPMLIB_GetState(StateType.PERMANENT, ...out),
    );
  }

  #serialised(
    what: string,
    write: (pointer: Uint8Array<ArrayBuffer>, length: Uint8Array<ArrayBuffer>) => number,
  ): Uint8Array<ArrayBuffer> {
    const pointer = new Uint8Array(8);
    const length = new Uint32Array(1);
    const result = write(pointer, new Uint8Array(length.buffer));
    if (result !== TpmResult.SUCCESS) {
      throw new TpmResultError(
        result,
        `could not serialise the ${what} state: 0x${result.toString(16)}`,
      );
    }
    const memory = Deno.UnsafePointer.create(new BigUint64Array(pointer.buffer)[0]!);
    if (memory === null) return new Uint8Array();
    const bytes = memoryAt(memory, length[0]!).slice();
    this.#memory.free(memory);
    return bytes;
  }

  /** Asks the command that runs in another thread to give up. */
  cancel(): number {
    return this.#c.TPMLIB_CancelCommand();
  }

  /** Largest command of a version in bytes. */
  bufferMax(version: LibtpmsVersion): number {
    const value = new Int32Array(1);
    const result = this.#c.TPMLIB_GetTPMProperty(
      version === 0 ? Property.BUFFER_MAX : Property.TPM2_BUFFER_MAX,
      new Uint8Array(value.buffer),
    );
    return result === TpmResult.SUCCESS ? value[0]! : COMMAND_MAX;
  }

  /** The JSON text for a set of {@linkcode InfoFlag}s, or undefined where libtpms has none. */
  info(flags: number): string | undefined {
    const text = this.#c.TPMLIB_GetInfo(flags | 0);
    if (text === null) return undefined;
    const json = Deno.UnsafePointerView.getCString(text);
    this.#memory.free(text);
    return json;
  }

  /** Sets the size of the command buffer, clamped to what is possible; 0 asks. */
  setBufferSize(wanted: number): BufferSize {
    const min = new Uint32Array(1);
    const max = new Uint32Array(1);
    const size = this.#c.TPMLIB_SetBufferSize(
      wanted,
      new Uint8Array(min.buffer),
      new Uint8Array(max.buffer),
    );
    return { size, min: min[0]!, max: max[0]! };
  }

  /** Hands in a state for the next {@linkcode mainInit}; undefined hides the stored one. */
  setState(type: number, bytes: Uint8Array<ArrayBuffer> | undefined): number {
    return this.#c.TPMLIB_SetState(type, bytes ?? null, bytes?.length ?? 0);
  }

  /** Where libtpms logs, how much (0: nothing), and what its lines begin with. */
  setDebug(fd: number, level: number, prefix: string): void {
    this.#c.TPMLIB_SetDebugFD(fd);
    this.#c.TPMLIB_SetDebugLevel(level);
    this.#c.TPMLIB_SetDebugPrefix(prefix === "" ? null : cString(prefix));
  }

  hashStart(): number {
    this.#useLocality();
    return this.#c.TPM_IO_Hash_Start();
  }

  hashData(bytes: Uint8Array<ArrayBuffer>): number {
    this.#useLocality();
    return this.#c.TPM_IO_Hash_Data(bytes, bytes.length);
  }

  hashEnd(): number {
    this.#useLocality();
    return this.#c.TPM_IO_Hash_End();
  }

  /** The established bit. Throws {@linkcode TpmResultError}. */
  established(): boolean {
    const bit = new Uint8Array(1);
    const result = this.#c.TPM_IO_TpmEstablished_Get(bit);
    if (result !== TpmResult.SUCCESS) {
      throw new TpmResultError(result, "could not read the established bit");
    }
    return bit[0] !== 0;
  }

  resetEstablished(): number {
    this.#useLocality();
    return this.#c.TPM_IO_TpmEstablished_Reset();
  }

  /** Sets the profile that the next manufacture of a TPM 2 uses. */
  setProfile(json: string): number {
    return this.#c.TPMLIB_SetProfile?.(cString(json)) ?? TpmResult.FAIL;
  }

  /** Whether the last {@linkcode mainInit} made a new TPM 2; true where it cannot be asked. */
  wasManufactured(): boolean {
    return this.#c.TPMLIB_WasManufactured?.() !== 0;
  }
}

/** What the class offers, without its insides: what a stand-in in a test has to have. */
export type LibtpmsFunctions = Pick<Libtpms, keyof Libtpms>;

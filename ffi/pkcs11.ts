// A PKCS #11 module (Cryptoki): tokens, sessions, keys that sign. Plain values in and out; which token
// and which key are meant is the caller's affair. Source: PKCS #11 v2.40, pkcs11t.h and pkcs11f.h.
import { addressOf } from "./libc.ts";

/** Position in CK_FUNCTION_LIST, behind its CK_VERSION, and what each is given. CK_ULONG is 64 bit. */
const functions = {
  C_Initialize: [0, ["buffer"]],
  C_Finalize: [1, ["pointer"]],
  C_GetSlotList: [4, ["u8", "buffer", "buffer"]],
  C_GetTokenInfo: [6, ["u64", "buffer"]],
  C_OpenSession: [12, ["u64", "u64", "pointer", "pointer", "buffer"]],
  C_CloseSession: [13, ["u64"]],
  C_Login: [18, ["u64", "u64", "buffer", "u64"]],
  C_GetAttributeValue: [24, ["u64", "u64", "buffer", "u64"]],
  C_FindObjectsInit: [26, ["u64", "buffer", "u64"]],
  C_FindObjects: [27, ["u64", "buffer", "u64", "buffer"]],
  C_FindObjectsFinal: [28, ["u64"]],
  C_SignInit: [42, ["u64", "buffer", "u64"]],
  C_Sign: [43, ["u64", "buffer", "u64", "buffer", "buffer"]],
} as const satisfies Record<string, readonly [number, readonly Deno.NativeType[]]>;
type Name = keyof typeof functions;

const POINTER_SIZE = 8;
/** What p11-kit offers of all modules that the machine's administrator has set up. */
const PROXY = ["p11-kit-proxy.so", "libp11-kit.so.0"] as const;

const CKR_OK = 0;
const CKR_CRYPTOKI_ALREADY_INITIALIZED = 0x191;
const CKR_USER_ALREADY_LOGGED_IN = 0x100;
const CKF_OS_LOCKING_OK = 2n;
const CKF_SERIAL_SESSION = 4n;
const CKU_USER = 1n;
/** No token of ours has more. */
const SLOTS_MAX = 256;
const OBJECTS_MAX = 16;
/** The longest signature: RSA of 16384 bits. */
const SIGNATURE_MAX = 2048;

/** Attributes of objects, CK_ATTRIBUTE_TYPE. */
export const CKA = {
  CLASS: 0,
  LABEL: 3,
  KEY_TYPE: 0x100,
  ID: 0x102,
} as const;
export const CKO_PRIVATE_KEY = 3;
export const CKK = { RSA: 0, EC: 3 } as const;
export const CKM = { RSA_PKCS: 1, ECDSA: 0x1041 } as const;

/** CK_TOKEN_INFO's first fields, which are padded with blanks. */
const tokenLayout = { label: 32, manufacturer: 32, model: 16, serial: 16 } as const;
const TOKEN_INFO_SIZE = 256;

export interface Token {
  readonly slot: bigint;
  readonly label: string;
  readonly manufacturer: string;
  readonly model: string;
  readonly serial: string;
}

/** A call that the module refused: CK_RV. */
export class Pkcs11Error extends Error {
  constructor(readonly call: string, readonly code: number) {
    super(`${call} failed: ${RESULTS[code] ?? `0x${code.toString(16)}`}`);
  }
}

/** Results that a user can do something about. */
const RESULTS: Readonly<Record<number, string>> = {
  0x05: "CKR_GENERAL_ERROR",
  0x06: "CKR_FUNCTION_FAILED",
  0x68: "CKR_KEY_FUNCTION_NOT_PERMITTED",
  0x70: "CKR_MECHANISM_INVALID",
  0xa0: "CKR_PIN_INCORRECT",
  0xa4: "CKR_PIN_LOCKED",
  0xe0: "CKR_TOKEN_NOT_PRESENT",
  0x101: "CKR_USER_NOT_LOGGED_IN",
  0x102: "CKR_USER_PIN_NOT_INITIALIZED",
};

/** An open module. */
export class Pkcs11Module implements Disposable {
  readonly #library: Deno.DynamicLibrary<Record<string, Deno.ForeignFunction>>;
  readonly #list: Deno.UnsafePointerView;

  /** Opens the module at `path`, or p11-kit's proxy. Throws where there is none. */
  static open(path: string | undefined): Pkcs11Module {
    if (path !== undefined) return new Pkcs11Module(path);
    const failures: unknown[] = [];
    for (const proxy of PROXY) {
      try {
        return new Pkcs11Module(proxy);
      } catch (error) {
        failures.push(error);
      }
    }
    throw failures[0];
  }

  private constructor(path: string) {
    this.#library = Deno.dlopen(path, {
      C_GetFunctionList: { parameters: ["buffer"], result: "u64" },
    });
    try {
      this.#list = this.#functionList();
      this.#initialize();
    } catch (error) {
      this.#library.close();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#call("C_Finalize", null);
    this.#library.close();
  }

  #functionList(): Deno.UnsafePointerView {
    const place = new BigUint64Array(1);
    const get = this.#library.symbols.C_GetFunctionList as (place: Uint8Array) => bigint;
    const result = Number(get(bytes(place)));
    const list = Deno.UnsafePointer.create(place[0]!);
    if (result !== CKR_OK || list === null) throw new Pkcs11Error("C_GetFunctionList", result);
    return new Deno.UnsafePointerView(list);
  }

  #initialize(): void {
    // CK_C_INITIALIZE_ARGS: four functions, flags, reserved.
    const how = new BigUint64Array(6);
    how[4] = CKF_OS_LOCKING_OK;
    const result = this.#call("C_Initialize", bytes(how));
    if (result !== CKR_OK && result !== CKR_CRYPTOKI_ALREADY_INITIALIZED) {
      throw new Pkcs11Error("C_Initialize", result);
    }
  }

  /** The tokens that are there; one that tells nothing of itself is none. */
  tokens(): Token[] {
    const slots = new BigUint64Array(SLOTS_MAX);
    const count = new BigUint64Array([BigInt(SLOTS_MAX)]);
    this.#check("C_GetSlotList", 1, bytes(slots), bytes(count));
    return [...slots.subarray(0, Number(count[0]))].flatMap((slot) => {
      const info = new Uint8Array(TOKEN_INFO_SIZE);
      if (this.#call("C_GetTokenInfo", slot, info) !== CKR_OK) return [];
      let at = 0;
      const field = (size: number) => {
        at += size;
        return new TextDecoder().decode(info.subarray(at - size, at)).trimEnd();
      };
      return [{
        slot,
        label: field(tokenLayout.label),
        manufacturer: field(tokenLayout.manufacturer),
        model: field(tokenLayout.model),
        serial: field(tokenLayout.serial),
      }];
    });
  }

  /** Opens a session; `pin` logs the user in. */
  session(slot: bigint, pin: string | undefined): Pkcs11Session {
    const handle = new BigUint64Array(1);
    this.#check("C_OpenSession", slot, CKF_SERIAL_SESSION, null, null, bytes(handle));
    const session = new Pkcs11Session(
      (name, ...values) => this.#check(name, handle[0]!, ...values),
    );
    if (pin !== undefined) {
      const text = new TextEncoder().encode(pin);
      const result = this.#call("C_Login", handle[0]!, CKU_USER, text, BigInt(text.length));
      if (result !== CKR_OK && result !== CKR_USER_ALREADY_LOGGED_IN) {
        throw new Pkcs11Error("C_Login", result);
      }
    }
    return session;
  }

  #check(name: Name, ...values: unknown[]): void {
    const result = this.#call(name, ...values);
    if (result !== CKR_OK) throw new Pkcs11Error(name, result);
  }

  #call(name: Name, ...values: unknown[]): number {
    const [position, parameters] = functions[name];
    const pointer = this.#list.getPointer(POINTER_SIZE * (1 + position));
    if (pointer === null) throw new Error(`the module has no ${name}`);
    const definition: Deno.ForeignFunction = { parameters, result: "u64" };
    const target = new Deno.UnsafeFnPointer(pointer as Deno.PointerObject<never>, definition);
    return Number(Reflect.apply(target.call, target, values));
  }
}

/** A session with one token. */
export class Pkcs11Session implements Disposable {
  readonly #do: (name: Name, ...values: unknown[]) => void;

  constructor(call: (name: Name, ...values: unknown[]) => void) {
    this.#do = call;
  }

  [Symbol.dispose](): void {
    this.#do("C_CloseSession");
  }

  /** Objects that have these attributes; no more than a few. */
  find(wanted: readonly (readonly [number, Uint8Array<ArrayBuffer>])[]): bigint[] {
    const template = new BigUint64Array(3 * wanted.length);
    wanted.forEach(([type, value], index) => {
      template.set([BigInt(type), addressOf(value), BigInt(value.length)], 3 * index);
    });
    this.#do("C_FindObjectsInit", bytes(template), BigInt(wanted.length));
    const found = new BigUint64Array(OBJECTS_MAX);
    const count = new BigUint64Array(1);
    this.#do("C_FindObjects", bytes(found), BigInt(OBJECTS_MAX), bytes(count));
    this.#do("C_FindObjectsFinal");
    return [...found.subarray(0, Number(count[0]))];
  }

  /** An attribute that is a number. Throws where the module has none. */
  number(object: bigint, type: number): number {
    const value = new BigUint64Array(1);
    const place = bytes(value);
    const template = new BigUint64Array([BigInt(type), addressOf(place), BigInt(place.length)]);
    this.#do("C_GetAttributeValue", object, bytes(template), 1n);
    if (template[2] !== BigInt(place.length)) {
      throw new Error(`the module tells no number for its attribute 0x${type.toString(16)}`);
    }
    return Number(value[0]);
  }

  sign(key: bigint, mechanism: number, data: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    // CK_MECHANISM: type, parameter, its size.
    this.#do("C_SignInit", bytes(new BigUint64Array([BigInt(mechanism), 0n, 0n])), key);
    const signature = new Uint8Array(SIGNATURE_MAX);
    const length = new BigUint64Array([BigInt(signature.length)]);
    this.#do("C_Sign", data, BigInt(data.length), signature, bytes(length));
    const size = Number(length[0]);
    if (size === 0 || size > SIGNATURE_MAX) {
      throw new Error(`the module gives a signature of ${size} bytes`);
    }
    return signature.slice(0, size);
  }
}

/** A CK_ULONG as an attribute has it. */
export function ulong(value: number): Uint8Array<ArrayBuffer> {
  return bytes(new BigUint64Array([BigInt(value)]));
}

function bytes(words: BigUint64Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(words.buffer);
}

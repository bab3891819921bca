// Signs with a key that never leaves its PKCS #11 token.
import { createHash } from "node:crypto";
import {
  CKA,
  CKK,
  CKM,
  CKO_PRIVATE_KEY,
  Pkcs11Module,
  type Pkcs11Session,
  type Token,
  ulong,
} from "../../ffi/pkcs11.ts";
import { encode, integer, none, octets, oid, sequence } from "./der.ts";
import { parsePkcs11Uri, type Pkcs11Uri, withoutPin } from "./pkcs11_uri.ts";
import { signatureAlgorithm, type SignatureHash, type Signer } from "./signer.ts";

/** Where the user's PIN comes from, when the URI does not tell it. */
export interface PinSources {
  /** `--signkey-pwd` or the configuration's password. */
  readonly password: string | undefined;
  /** SWTPM_PKCS11_PIN. */
  readonly variable: string | undefined;
  /** Reads the file that the URI names. */
  readFile(path: string): string;
}

const HASH_OIDS: Readonly<Record<SignatureHash, string>> = {
  sha1: "1.3.14.3.2.26",
  sha256: "2.16.840.1.101.3.4.2.1",
};

/** What a module is asked. */
export interface TokenModule extends Disposable {
  tokens(): readonly Token[];
  session(slot: bigint, pin: string | undefined): TokenSession;
}
export type TokenSession =
  & Pick<Pkcs11Session, "find" | "number" | "sign">
  & Disposable;

/**
 * Finds the key; the signer holds module and session open. A token that refuses does not stand in
 * the way of the next one. Throws Error with what is missing.
 */
export function openTokenSigner(
  text: string,
  pins: PinSources,
  hash: SignatureHash,
  open: (path: string | undefined) => TokenModule = Pkcs11Module.open,
): Signer & Disposable {
  const uri = parsePkcs11Uri(text);
  using closers = new DisposableStack();
  const module = closers.use(open(uri.modulePath));
  const tokens = module.tokens().filter((token) => isMeant(token, uri));
  if (tokens.length === 0) throw new Error(`no token is there for '${withoutPin(text)}'`);
  const pin = pinFor(uri, pins);
  const failures: unknown[] = [];
  for (const { slot } of tokens) {
    try {
      using opening = new DisposableStack();
      const session = opening.use(module.session(slot, pin));
      const signer = signerIn(session, uri, hash);
      if (signer === undefined) continue;
      closers.use(opening.move());
      const opened = closers.move();
      return { ...signer, [Symbol.dispose]: () => opened.dispose() };
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  const hint = pin === undefined ? ", and without a PIN a token shows none" : "";
  throw new Error(`no private key is there for '${withoutPin(text)}'${hint}`);
}

/** Undefined where the token has no such key. */
function signerIn(session: TokenSession, uri: Pkcs11Uri, hash: SignatureHash): Signer | undefined {
  const [key] = session.find([
    [CKA.CLASS, ulong(CKO_PRIVATE_KEY)],
    ...(uri.object === undefined
      ? []
      : [[CKA.LABEL, new TextEncoder().encode(uri.object)] as const]),
    ...(uri.id === undefined ? [] : [[CKA.ID, uri.id] as const]),
  ]);
  if (key === undefined) return undefined;
  const type = session.number(key, CKA.KEY_TYPE);
  const kind = type === CKK.RSA ? "rsa" : type === CKK.EC ? "ec" : `CKK 0x${type.toString(16)}`;
  const digest = (bytes: Uint8Array) => new Uint8Array(createHash(hash).update(bytes).digest());
  return {
    algorithm: signatureAlgorithm(kind, hash),
    sign: (bytes) =>
      kind === "rsa"
        ? session.sign(key, CKM.RSA_PKCS, digestInfo(hash, digest(bytes)))
        : ecdsaValue(session.sign(key, CKM.ECDSA, digest(bytes))),
  };
}

function isMeant(token: Token, uri: Pkcs11Uri): boolean {
  return (uri.token === undefined || uri.token === token.label) &&
    (uri.manufacturer === undefined || uri.manufacturer === token.manufacturer) &&
    (uri.model === undefined || uri.model === token.model) &&
    (uri.serial === undefined || uri.serial === token.serial) &&
    (uri.slot === undefined || uri.slot === token.slot);
}

function pinFor(uri: Pkcs11Uri, pins: PinSources): string | undefined {
  if (uri.pinValue !== undefined) return uri.pinValue;
  if (uri.pinSource !== undefined) {
    return pins.readFile(uri.pinSource.replace(/^file:(\/\/)?/, "")).replace(/\r?\n$/, "");
  }
  return pins.password ?? pins.variable;
}

/** DigestInfo ::= SEQUENCE { AlgorithmIdentifier, OCTET STRING } (RFC 8017, 9.2). */
function digestInfo(hash: SignatureHash, digest: Uint8Array): Uint8Array<ArrayBuffer> {
  return encode(sequence(sequence(oid(HASH_OIDS[hash]), none()), octets(digest)));
}

/** Ecdsa-Sig-Value ::= SEQUENCE { r, s } (RFC 3279, 2.2.3) from both of one size. */
function ecdsaValue(signature: Uint8Array): Uint8Array<ArrayBuffer> {
  const half = signature.length / 2;
  if (!Number.isInteger(half)) {
    throw new Error(`the module gives an ECDSA signature of ${signature.length} bytes`);
  }
  const number = (bytes: Uint8Array) => integer(BigInt(`0x0${bytes.toHex()}`));
  return encode(sequence(number(signature.subarray(0, half)), number(signature.subarray(half))));
}

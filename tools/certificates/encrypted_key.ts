// Private keys that a password protects: PKCS #8 by PBES2 (RFC 8018), and OpenSSL's older form in PEM.
// The runtime reads few of them, and none of GnuTLS'.
import { Buffer } from "node:buffer";
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  type KeyObject,
  pbkdf2Sync,
  randomBytes,
  scryptSync,
} from "node:crypto";
import {
  type Asn1,
  bytesOf,
  encode,
  integer,
  none,
  octets,
  oid,
  oidOf,
  parse,
  partsOf,
  pemBlock,
  sequence,
} from "./der.ts";

const PBES2 = "1.2.840.113549.1.5.13";
const PBKDF2 = "1.2.840.113549.1.5.12";
const SCRYPT = "1.3.6.1.4.1.11591.4.11";
const HMAC_SHA1 = "1.2.840.113549.2.7";
const HMAC_SHA256 = "1.2.840.113549.2.9";
const PRFS: Readonly<Record<string, string>> = {
  [HMAC_SHA1]: "sha1",
  "1.2.840.113549.2.8": "sha224",
  [HMAC_SHA256]: "sha256",
  "1.2.840.113549.2.10": "sha384",
  "1.2.840.113549.2.11": "sha512",
};
const AES_256_CBC = "2.16.840.1.101.3.4.1.42";
const CIPHERS: Readonly<Record<string, { name: string; keySize: number }>> = {
  "2.16.840.1.101.3.4.1.2": { name: "aes-128-cbc", keySize: 16 },
  "2.16.840.1.101.3.4.1.22": { name: "aes-192-cbc", keySize: 24 },
  [AES_256_CBC]: { name: "aes-256-cbc", keySize: 32 },
  "1.2.840.113549.3.7": { name: "des-ede3-cbc", keySize: 24 },
};

/** As OpenSSL makes them; GnuTLS takes ten times as many. */
const ITERATIONS = 600_000;
/** What comes from outside may ask for more time than anybody has. */
const ITERATIONS_MAX = 20_000_000;
const SCRYPT_MEMORY_MAX = 1 << 28;
const SALT_SIZE = 16;
const IV_SIZE = 16;

const BLOCK = /-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----\r?\n([^]*?)-----END \1-----/;

/**
 * A private key in a text of PEM, which may have other text around it, as PKCS #8, DER. Throws where it
 * is none.
 */
export function readPrivateKey(
  text: string,
  password: string | undefined,
): Uint8Array<ArrayBuffer> {
  const [block, label, body] = BLOCK.exec(text) ?? [];
  if (block === undefined) throw new Error("there is no private key in it");
  const [, headers = "", base64] = /^((?:[\w-]+: .*\r?\n)*\r?\n)?([^]*)$/.exec(body!)!;
  const dek = /^DEK-Info: ([^,\r\n]+),([0-9A-Fa-f]+)/m.exec(headers);
  if (label === "PRIVATE KEY") return Uint8Array.fromBase64(base64!);
  if (label !== "ENCRYPTED PRIVATE KEY" && dek === null) return pkcs8Of(createPrivateKey(block));
  if (password === undefined) throw new Error("it is encrypted, and no password is given");
  const bytes = Uint8Array.fromBase64(base64!);
  if (dek !== null) {
    const type = label === "EC PRIVATE KEY" ? "sec1" : "pkcs1";
    const key = decryptedTraditional(bytes, dek[1]!, Uint8Array.fromHex(dek[2]!), password);
    return pkcs8Of(createPrivateKey({ key: Buffer.from(key), format: "der", type }));
  }
  return decryptedPkcs8(bytes, password);
}

function pkcs8Of(key: KeyObject): Uint8Array<ArrayBuffer> {
  return new Uint8Array(key.export({ type: "pkcs8", format: "der" }));
}

/** The key as PKCS #8 in PEM, encrypted where there is a password. */
export function privateKeyPem(
  key: KeyObject,
  password: string | undefined,
  iterations = ITERATIONS,
): string {
  if (password === undefined) return key.export({ type: "pkcs8", format: "pem" }) as string;
  const salt = randomBytes(SALT_SIZE);
  const iv = randomBytes(IV_SIZE);
  const { name, keySize } = CIPHERS[AES_256_CBC]!;
  const cipher = createCipheriv(
    name,
    pbkdf2Sync(password, salt, iterations, keySize, "sha256"),
    iv,
  );
  const plain = key.export({ type: "pkcs8", format: "der" });
  const encrypted = new Uint8Array([...cipher.update(plain), ...cipher.final()]);
  const kdf = sequence(
    oid(PBKDF2),
    sequence(octets(salt), integer(iterations), sequence(oid(HMAC_SHA256), none())),
  );
  const der = encode(sequence(
    sequence(oid(PBES2), sequence(kdf, sequence(oid(AES_256_CBC), octets(iv)))),
    octets(encrypted),
  ));
  return pemBlock("ENCRYPTED PRIVATE KEY", der);
}

/** EncryptedPrivateKeyInfo ::= SEQUENCE { AlgorithmIdentifier, OCTET STRING } (RFC 5958). */
function decryptedPkcs8(der: Uint8Array, password: string): Uint8Array<ArrayBuffer> {
  const [algorithm, data] = partsOf(parse(der));
  const [scheme, parameters] = partsOf(algorithm);
  const encrypted = bytesOf(data);
  if (oidOf(scheme) !== PBES2 || encrypted === undefined) {
    throw new Error(`it is encrypted by ${oidOf(scheme) ?? "nothing known"}, not by PBES2`);
  }
  const [kdf, encryption] = partsOf(parameters);
  const [cipherId, ivValue] = partsOf(encryption);
  const cipher = CIPHERS[oidOf(cipherId) ?? ""];
  const iv = bytesOf(ivValue);
  if (cipher === undefined || iv === undefined) {
    throw new Error(`the cipher ${oidOf(cipherId) ?? ""} is not known`);
  }
  return decrypted(cipher.name, derivedKey(kdf, cipher.keySize, password), iv, encrypted);
}

function derivedKey(kdf: Asn1 | undefined, size: number, password: string): Uint8Array {
  const [id, parameters] = partsOf(kdf);
  const [saltValue, ...rest] = partsOf(parameters);
  const salt = bytesOf(saltValue);
  const numbers = rest.map(bytesOf).filter((bytes) => bytes !== undefined).map(numberOf);
  const [first, second, third] = numbers;
  if (salt === undefined || first === undefined) throw new Error("its parameters are damaged");
  switch (oidOf(id)) {
    case PBKDF2: {
      if (first > ITERATIONS_MAX) throw new Error(`it asks for ${first} rounds`);
      const prfId = rest.map((part) => oidOf(partsOf(part)[0])).find((id) => id !== undefined);
      const prf = PRFS[prfId ?? HMAC_SHA1];
      if (prf === undefined) throw new Error(`the function ${prfId} is not known`);
      return pbkdf2Sync(password, salt, first, size, prf);
    }
    case SCRYPT:
      return scryptSync(password, salt, size, {
        ...{ N: first, r: second!, p: third! },
        maxmem: SCRYPT_MEMORY_MAX,
      });
    default:
      throw new Error(`the function ${oidOf(id) ?? ""} is not known`);
  }
}

/** OpenSSL's EVP_BytesToKey with MD5 and one round. */
function decryptedTraditional(
  encrypted: Uint8Array,
  cipherName: string,
  iv: Uint8Array,
  password: string,
): Uint8Array<ArrayBuffer> {
  const cipher = Object.values(CIPHERS).find(({ name }) => name === cipherName.toLowerCase());
  if (cipher === undefined) throw new Error(`the cipher ${cipherName} is not known`);
  const SALT_BYTES = 8;
  let key = new Uint8Array(0);
  let block = new Uint8Array(0);
  while (key.length < cipher.keySize) {
    const hash = createHash("md5").update(block).update(password).update(
      iv.subarray(0, SALT_BYTES),
    );
    block = new Uint8Array(hash.digest());
    key = new Uint8Array([...key, ...block]);
  }
  return decrypted(cipher.name, key.subarray(0, cipher.keySize), iv, encrypted);
}

function decrypted(
  cipher: string,
  key: Uint8Array,
  iv: Uint8Array,
  bytes: Uint8Array,
): Uint8Array<ArrayBuffer> {
  try {
    const decipher = createDecipheriv(cipher, key, iv);
    return new Uint8Array([...decipher.update(bytes), ...decipher.final()]);
  } catch (error) {
    throw new Error("the password does not fit", { cause: error });
  }
}

function numberOf(bytes: Uint8Array): number {
  return bytes.length > 6 ? Infinity : parseInt(`0${bytes.toHex()}`, 16);
}

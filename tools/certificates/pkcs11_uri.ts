// A URI that names a key in a PKCS #11 token (RFC 7512).

export interface Pkcs11Uri {
  /** What the path says of token and object, by the RFC's names; `id` is bytes. */
  readonly token?: string;
  readonly manufacturer?: string;
  readonly model?: string;
  readonly serial?: string;
  readonly slot?: bigint;
  readonly object?: string;
  readonly id?: Uint8Array<ArrayBuffer>;
  readonly modulePath?: string;
  readonly pinValue?: string;
  readonly pinSource?: string;
}

const PATH = ["token", "manufacturer", "model", "serial", "object"] as const;

/** Reads the URI. Throws for what is no URI of this kind. */
export function parsePkcs11Uri(uri: string): Pkcs11Uri {
  const [, path, query] = /^pkcs11:([^?]*)(?:\?(.*))?$/s.exec(uri) ?? [];
  if (path === undefined) throw new Error(`'${uri}' is no URI of PKCS #11`);
  const inPath = attributesOf(path, ";");
  const inQuery = attributesOf(query ?? "", "&");
  const id = inPath.get("id");
  const slot = inPath.get("slot-id");
  return {
    ...Object.fromEntries(
      PATH.flatMap((name) => {
        const value = inPath.get(name);
        return value === undefined ? [] : [[name, textOf(value)]];
      }),
    ),
    ...(slot === undefined ? {} : { slot: slotOf(textOf(slot)) }),
    ...(id === undefined ? {} : { id }),
    ...named("modulePath", inQuery.get("module-path")),
    ...named("pinValue", inQuery.get("pin-value")),
    ...named("pinSource", inQuery.get("pin-source")),
  };
}

function slotOf(text: string): bigint {
  if (/^\d{1,20}$/.test(text)) return BigInt(text);
  throw new Error(`'${text}' in a URI of PKCS #11 is no number of a slot`);
}

function attributesOf(text: string, separator: string): Map<string, Uint8Array<ArrayBuffer>> {
  const attributes = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const part of text.split(separator)) {
    if (part === "") continue;
    const equals = part.indexOf("=");
    if (equals < 0) throw new Error(`'${part}' in a URI of PKCS #11 has no value`);
    attributes.set(part.slice(0, equals), unescape(part.slice(equals + 1)));
  }
  return attributes;
}

/** Bytes that `%xx` stands for; all else stands for itself. */
function unescape(text: string): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  for (const [piece, digits] of text.matchAll(/%([0-9A-Fa-f]{2})|[^%]+|%/g)) {
    if (digits !== undefined) bytes.push(parseInt(digits, 16));
    else bytes.push(...new TextEncoder().encode(piece));
  }
  return new Uint8Array(bytes);
}

function named<N extends string>(name: N, value: Uint8Array | undefined): { [K in N]?: string } {
  return value === undefined ? {} : { [name]: textOf(value) } as { [K in N]?: string };
}

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Whether the name of a key is such a URI. */
export function isPkcs11(name: string): boolean {
  return name.startsWith("pkcs11:");
}

/** For messages: the PIN is nobody's who reads them. */
export function withoutPin(name: string): string {
  return isPkcs11(name) ? name.replace(/([?&]pin-value=)[^&]*/, "$1...") : name;
}

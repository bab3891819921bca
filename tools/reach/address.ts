// Where a tool finds a TPM that another process runs: words of its command line as an address, in the
// C programs' grammar. Connecting is left to line.ts.
import { scannedNumber } from "../../cli/number.ts";

const LOOPBACK = "127.0.0.1";
const PORT_MAX = 65535;

export type Address =
  | { kind: "device"; path: string }
  | { kind: "tcp"; host: string; port: number }
  | { kind: "unix"; path: string };

/** What the options say that name a TPM: a device counts before TCP, and that before a Unix socket. */
export class NamedAddresses {
  readonly #named = new Map<Address["kind"], Address>();

  constructor(private readonly defaultPort: number) {}

  /** Takes an option, if it is one of those; the last of each counts. Throws where a port is none. */
  take(option: string, argument: string): boolean {
    const address = this.#addressOf(option, argument);
    if (address !== undefined) this.#named.set(address.kind, address);
    return address !== undefined;
  }

  /** The one that counts. */
  get chosen(): Address | undefined {
    return this.#named.get("device") ?? this.#named.get("tcp") ?? this.#named.get("unix");
  }

  #addressOf(option: string, argument: string): Address | undefined {
    switch (option) {
      case "tpm-device":
        return { kind: "device", path: argument };
      case "tcp":
        return tcpAddress(argument, this.defaultPort);
      case "unix":
        return { kind: "unix", path: argument };
      default:
        return undefined;
    }
  }
}

/**
 * The address that `HOST`, `:PORT`, `:` or `HOST:PORT` names; the last colon counts. Throws where the
 * port is none.
 */
export function tcpAddress(words: string, defaultPort: number): Address {
  const colon = words.lastIndexOf(":");
  if (colon < 0) return { kind: "tcp", host: words, port: defaultPort };
  const host = words.slice(0, colon) || LOOPBACK;
  const written = words.slice(colon + 1);
  if (colon === 0 && written === "") return { kind: "tcp", host, port: defaultPort };
  const port = scannedNumber(written);
  if (port === undefined) throw new Error(`Invalid port '${written}'`);
  if (port > PORT_MAX) throw new Error(`Port '${written}' outside valid range.`);
  return { kind: "tcp", host: withoutBrackets(host), port };
}

/** `[::1]` is how an IPv6 address stands before a port elsewhere. */
function withoutBrackets(host: string): string {
  return /^\[.*:.*\]$/.test(host) ? host.slice(1, -1) : host;
}

// The control channel of a TPM that `swtpm start` has left in the environment.
import type { Address } from "./address.ts";

const LOOPBACK = "127.0.0.1";

/** Where `swtpm start` has a TPM listen. */
export type StartedAddress = Exclude<Address, { kind: "device" }>;

/** The control channel that SWTPM_CTRL or SWTPM_PORT names, if they do. */
export function startedAddress(
  variable: (name: string) => string | undefined,
): StartedAddress | undefined {
  const [path, port] = [variable("SWTPM_CTRL"), variable("SWTPM_PORT")];
  if (path) return { kind: "unix", path };
  if (!port || !/^\d{1,5}$/.test(port)) return undefined;
  return { kind: "tcp", host: LOOPBACK, port: Number(port) + 1 };
}

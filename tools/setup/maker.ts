// Between a new TPM and what is put into it: commands, certificates, and what is told of it.
import type { CertificateType } from "../certificates/tcg_certificate.ts";
import type { SetupLog } from "./log.ts";

/** A certificate that is wanted. */
export interface CertificateWish {
  readonly type: CertificateType;
  /** The key, as swtpm_localca is told of it. */
  readonly key: string;
  readonly tpmSerial?: string;
}

export interface Maker {
  readonly log: SetupLog;
  send(command: Uint8Array): Promise<Uint8Array>;
  /** The bytes that the TPM is to keep. */
  certificate(wish: CertificateWish): Promise<Uint8Array<ArrayBuffer>>;
  /** Writes a copy of a certificate beside, where that was asked for. */
  keepCopy(name: string, certificate: Uint8Array<ArrayBuffer>): void;
  /** Something is there now; told as JSON, where that is asked for. */
  done(what: string, details: Readonly<Record<string, unknown>>): void;
}

/** A TPM that is being made. */
export interface TpmAtWork {
  send(command: Uint8Array): Promise<Uint8Array>;
  /** What CMD_GET_INFO tells. */
  info(flags: number): Promise<string>;
  /** Turns it off in order and gives its permanent state, as it is to be stored. */
  finish(): Promise<Uint8Array<ArrayBuffer>>;
}

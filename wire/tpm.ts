// Layouts of TPM messages as they stand on the data channel: headers, the send-command prefix of
// TPM 2 and its trailer. What the commands mean is libtpms' affair.
import { struct, u16, u32, u8 } from "./codec.ts";

/** Head of every command (TPM Main Part 3, 3; TPM 2.0 Library Part 1, 18.2). */
export const commandHeader = struct("TPM command header", {
  tag: u16,
  /** Size of the whole command in bytes, this header included. */
  size: u32,
  /** Ordinal (TPM 1.2) or command code (TPM 2). */
  code: u32,
});

/** Head of every response. */
export const responseHeader = struct("TPM response header", {
  tag: u16,
  size: u32,
  /** 0 for success. */
  code: u32,
});

/** TPM_Startup and TPM2_Startup, TPM2_Shutdown: a header and one number. */
export const startupCommand = struct("Startup command", {
  tag: u16,
  size: u32,
  code: u32,
  type: u16,
});

/** The SetLocality command of Linux' vTPM proxy (drivers/char/tpm/tpm_vtpm_proxy.c). */
export const setLocalityCommand = struct("SetLocality command", {
  tag: u16,
  size: u32,
  code: u32,
  locality: u8,
});

/**
 * What may stand before a TPM 2 command, as Microsoft's simulator defined it: `word` is
 * {@linkcode SEND_COMMAND}, `size` is not looked at, as in the C program.
 */
export const sendCommandPrefix = struct("send-command prefix", {
  word: u32,
  locality: u8,
  size: u32,
});

/** Value of the prefix's first word. */
export const SEND_COMMAND = 8;

/** Before the response to a prefixed command: the size of the response alone. */
export const sendCommandResponse = struct("send-command response", { size: u32 });

/** Behind the response to a prefixed command: always 0. */
export const sendCommandTrailer = struct("send-command trailer", { zero: u32 });

/** Largest command of a libtpms that does not say what it takes (TPM_BUFFER_MAX). */
export const COMMAND_MAX = 4096;

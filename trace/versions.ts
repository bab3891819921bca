// The two versions of a TPM, as far as reading a message by its declarations differs between them.

import type { AnyCodec } from "../tcg/kernel/codec.ts";
import type { AnyDeclaration } from "../tcg/kernel/declaration.ts";
import type { Message } from "../tcg/kernel/message.ts";
import type { Shown } from "../tcg/kernel/shown.ts";
import type { AnyDeclaration as Declaration12 } from "../tcg/tpm12/command.ts";
import { TPM_GetCapability } from "../tcg/tpm12/commands/capabilities.ts";
import { TPM_KH, TPM_MESSAGE_TAG } from "../tcg/tpm12/constants.ts";
import * as message12 from "../tcg/tpm12/message.ts";
import { TPM_COMMAND_CODE } from "../tcg/tpm12/ordinals.ts";
import { resultOf as resultOf12 } from "../tcg/tpm12/results.ts";
import { respCodec, subCapCodec } from "../tcg/tpm12/structures/capabilities.ts";
import { TPM_AUTH_COMMAND, TPM_AUTH_RESPONSE } from "../tcg/tpm12/structures/sessions.ts";
import type { AnyDeclaration as Declaration2 } from "../tcg/tpm2/command.ts";
import { handleText } from "../tcg/tpm2/handles.ts";
import * as message2 from "../tcg/tpm2/message.ts";
import { type Position, resultOf as resultOf2 } from "../tcg/tpm2/results.ts";
import { TPMS_AUTH_COMMAND, TPMS_AUTH_RESPONSE } from "../tcg/tpm2/structures/sessions.ts";

/** What a response's code says. */
export interface Told {
  readonly name: string;
  readonly meaning: string;
  readonly warning: boolean;
  readonly position?: Position | undefined;
}

export interface Version<D extends AnyDeclaration> {
  readCommand(bytes: Uint8Array): Message<D, unknown>;
  readResponse(bytes: Uint8Array, command: D | undefined): Message<D, unknown>;
  /** The sessions of a command and of a response. */
  showCommandSession(session: unknown): Shown;
  showResponseSession(session: unknown): Shown;
  resultOf(code: number): Told;
  /** What the bytes of a parameter hold, where what was asked tells it. */
  inside?(asked: Message<D, unknown>, parameter: string): AnyCodec | undefined;
  /** What a command is called that has no declaration. */
  nameless(code: number): string;
  /** A handle by its meaning; `type` is that of the specification. */
  handleText(handle: number, type: string): string;
}

function digits(number: number): string {
  return `0x${number.toString(16).padStart(8, "0")}`;
}

export const TPM2: Version<Declaration2> = {
  readCommand: message2.readCommand,
  readResponse: message2.readResponse,
  showCommandSession: (session) => TPMS_AUTH_COMMAND.show(session as never),
  showResponseSession: (session) => TPMS_AUTH_RESPONSE.show(session as never),
  resultOf: resultOf2,
  nameless: (code) => `TPM_CC_${digits(code)}`,
  handleText,
};

const RESERVED = new Map<number, string>(
  Object.entries(TPM_KH).map(([name, value]) => [value, name === "OWNER" ? "owner" : name]),
);

export const TPM12: Version<Declaration12> = {
  readCommand: message12.readCommand,
  readResponse: message12.readResponse,
  showCommandSession: (session) => TPM_AUTH_COMMAND.show(session as never),
  showResponseSession: (session) => TPM_AUTH_RESPONSE.show(session as never),
  resultOf: resultOf12,
  inside({ command, parameters: { capArea, subCap } }, parameter) {
    if (command !== TPM_GetCapability || typeof capArea !== "number") return undefined;
    if (parameter === "subCap") return subCapCodec(capArea);
    return subCap instanceof Uint8Array ? respCodec(capArea, subCap) : undefined;
  },
  nameless: (code) => TPM_COMMAND_CODE.nameOf(code) ?? `TPM_ORD_${digits(code)}`,
  handleText(handle, type) {
    switch (type) {
      case "TPM_PCRINDEX":
        return `PCR ${handle}`;
      case "TPM_NV_INDEX":
        return `NV ${digits(handle)}`;
      case "TPM_AUTHHANDLE":
        return `session ${digits(handle)}`;
      case "TPM_TRANSHANDLE":
        return `transport ${digits(handle)}`;
      default:
        return RESERVED.get(handle) ?? digits(handle);
    }
  },
};

/** Whether a tag is one of version 1.2; messages without a tag that is known are of the other. */
export function isTpm12(tag: number): boolean {
  return tag >= TPM_MESSAGE_TAG.RQU_COMMAND && tag <= TPM_MESSAGE_TAG.RSP_AUTH2_COMMAND;
}

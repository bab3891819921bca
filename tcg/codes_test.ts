// What wire/ knows of the specifications by itself, so that a start need not load them, is what they
// say.

import { strictEqual } from "node:assert/strict";
import { Tpm12, Tpm2, TpmRc, TpmResult } from "../wire/codes.ts";
import { TPM_MESSAGE_TAG } from "./tpm12/constants.ts";
import { TPM_ORD } from "./tpm12/ordinals.ts";
import { TPM_RESULT } from "./tpm12/results.ts";
import { TPM_CC } from "./tpm2/command_codes.ts";
import { TPM_CAP, TPM_HT, TPM_ST, TPM_SU } from "./tpm2/constants.ts";
import { TPM_PT } from "./tpm2/properties.ts";
import { TPM_RC } from "./tpm2/results.ts";

/** Numbers that are not the specification's, each with its reason. */
const OTHERS: Readonly<Record<string, string>> = {
  "TpmRc.LOCALITY": "as the C program answers: the number without the bit of a warning",
  "Tpm2.SAVED_SESSION_FIRST": "a type of handles, as a handle",
  "Tpm2.ACTIVE_SESSIONS_MAX": "libtpms' number",
};

/** Each number of `ours` is that of the same name, without a prefix that says where it is. */
function compare(
  name: string,
  ours: Readonly<Record<string, number>>,
  theirs: Readonly<Record<string, Readonly<Record<string, number>>>>,
): void {
  for (const [key, value] of Object.entries(ours)) {
    if (`${name}.${key}` in OTHERS) continue;
    const prefix = Object.keys(theirs).find((prefix) => key.startsWith(prefix))!;
    strictEqual(value, theirs[prefix]?.[key.slice(prefix.length)], `${name}.${key}`);
  }
}

Deno.test("the numbers of wire/ are those of the specifications", () => {
  compare("TpmResult", TpmResult, { "": TPM_RESULT });
  compare("TpmRc", TpmRc, { "": TPM_RC });
  compare("Tpm12", Tpm12, { TAG_: TPM_MESSAGE_TAG, ORD_: TPM_ORD });
  compare("Tpm2", Tpm2, { ST_: TPM_ST, CC_: TPM_CC, SU_: TPM_SU, CAP_: TPM_CAP, PT_: TPM_PT });
  strictEqual(TpmRc.LOCALITY, TPM_RC.LOCALITY & ~0x800);
  strictEqual(Tpm2.SAVED_SESSION_FIRST, TPM_HT.POLICY_SESSION << 24);
});

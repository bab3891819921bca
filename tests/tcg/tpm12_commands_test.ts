// Every command of TPM 1.2 as it is declared against what libtpms reads: a command of the right
// length is refused, if at all, for what is in it; with a byte more for its length.

import assert from "node:assert/strict";
import { type AnyCodec, decode, encode } from "../../tcg/kernel/codec.ts";
import type { Fields } from "../../tcg/kernel/struct.ts";
import { TPM_LOCALITY_SELECTION } from "../../tcg/tpm12/attributes.ts";
import { keyTemplate } from "../../tcg/tpm12/client/ownership.ts";
import type { AnyDeclaration } from "../../tcg/tpm12/command.ts";
import { assembleCommand } from "../../tcg/tpm12/command_bytes.ts";
import { COMMANDS } from "../../tcg/tpm12/commands.ts";
import { TPM_DEL, TPM_TAG } from "../../tcg/tpm12/constants.ts";
import { TPM_RESULT } from "../../tcg/tpm12/results.ts";
import { TPM_DELEGATE_OWNER_BLOB } from "../../tcg/tpm12/structures/delegation.ts";
import { TPM_CONTEXT_BLOB } from "../../tcg/tpm12/structures/storage.ts";
import { VERSION_1_1 } from "../../tcg/tpm12/structures/versions.ts";
import { fields, repeated, u32 } from "../support/bytes.ts";
import { owned } from "./tpm12_objects.ts";

/** What libtpms does not have (TPM_BAD_ORDINAL), or what no command can be sent after. */
const LEFT_OUT = new Set([
  "TPM_CertifySelfTest",
  "TPM_GetCapabilitySigned",
  "TPM_SetRedirection",
  "TPM_CreateMaintenanceArchive",
  "TPM_KillMaintenanceFeature",
  "TPM_LoadMaintenanceArchive",
  "TPM_LoadManuMaintPub",
  "TPM_ReadManuMaintPub",
  "TPM_Init",
  "TPM_ForceClear",
  "TPM_PhysicalDisable",
  "TPM_SetTempDeactivated",
]);
const SESSION = {
  authHandle: 0,
  nonceOdd: new Uint8Array(20),
  continueAuthSession: 0,
  authData: new Uint8Array(20),
};
const RSA_SIZE = 256;
const KEY = keyTemplate("STORAGE");
const PUBLIC_KEY = { algorithmParms: KEY.algorithmParms, pubKey: repeated(0xc5, RSA_SIZE) };

/** Values whose content libtpms looks at before it knows whether all is there. */
const SAMPLES: Readonly<Record<string, unknown>> = {
  TPM_KEY: KEY,
  TPM_KEY_PARMS: KEY.algorithmParms,
  TPM_PUBKEY: PUBLIC_KEY,
  TPM_MIGRATIONKEYAUTH: {
    migrationKey: PUBLIC_KEY,
    migrationScheme: 1,
    digest: new Uint8Array(20),
  },
  TPM_STORED_DATA: {
    ver: VERSION_1_1,
    sealInfo: new Uint8Array(0),
    encData: repeated(0xc5, RSA_SIZE),
  },
  TPM_DELEGATIONS: {
    tag: TPM_TAG.DELEGATIONS,
    delegateType: TPM_DEL.OWNER_BITS,
    per1: { owner: 0 },
    per2: 0,
  },
  TPM_PCR_SELECTION: new Uint8Array(3),
  TPM_LOCALITY_SELECTION: TPM_LOCALITY_SELECTION.of("TPM_LOC_ZERO"),
};

/** Tags of structures that are not called as their tags are. */
const TAGS: Readonly<Record<string, number>> = {
  TPM_CONTEXT_BLOB: TPM_TAG.CONTEXTBLOB,
  TPM_DELEGATE_KEY_BLOB: TPM_TAG.DELG_KEY_BLOB,
};

/** Zeros, but for tags and for what is in {@linkcode SAMPLES}. */
function sample(codec: AnyCodec): unknown {
  const known = SAMPLES[codec.type];
  if (known !== undefined) return known;
  if (!("fields" in codec)) return decode(codec, new Uint8Array(codec.sizeMin));
  const values: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(codec.fields as Fields)) {
    if (name === "tag") values[name] = tagOf(codec.type);
    else values[name] = sample(field as AnyCodec);
  }
  return values;
}

function tagOf(type: string): number {
  return TAGS[type] ?? TPM_TAG[type.replace("TPM_", "") as keyof typeof TPM_TAG];
}

const OWNER_DELEGATION = encode(
  TPM_DELEGATE_OWNER_BLOB,
  sample(TPM_DELEGATE_OWNER_BLOB) as TPM_DELEGATE_OWNER_BLOB,
);

/** What stands in buffers that libtpms reads further. */
const HELD: Readonly<Record<string, Uint8Array>> = {
  TPM_CONTEXT_BLOB: encode(TPM_CONTEXT_BLOB, sample(TPM_CONTEXT_BLOB) as TPM_CONTEXT_BLOB),
  TPM_DELEGATE_BLOB: OWNER_DELEGATION,
  TPM_DELEGATE_OWNER_BLOB: OWNER_DELEGATION,
  TPM_MSA_COMPOSITE: fields(u32(1), new Uint8Array(20)),
};

function parametersOf(command: AnyDeclaration): Uint8Array {
  return fields(
    ...Object.values<AnyCodec>(command.parameters).map((codec) => {
      const held = HELD[codec.type];
      return encode(codec, held ?? sample(codec));
    }),
  );
}

Deno.test("every command is read by libtpms as it is declared", async () => {
  await using client = await owned();
  const ask = async (command: AnyDeclaration, parameters: Uint8Array) => {
    const handles = command.lists.handles.map(() => 0);
    const sessions = command.lists.authorizations.map(() => SESSION);
    const answer = await client.ask(assembleCommand(command, handles, parameters, sessions));
    return new DataView(answer.buffer, answer.byteOffset).getUint32(6);
  };
  const declared = COMMANDS.filter(({ name }) => !LEFT_OUT.has(name));
  for (const command of declared) {
    const parameters = parametersOf(command);
    const code = await ask(command, parameters);
    assert.notEqual(code, TPM_RESULT.BAD_PARAM_SIZE, command.name);
    const longer = await ask(command, fields(parameters, new Uint8Array(1)));
    assert.equal(longer, TPM_RESULT.BAD_PARAM_SIZE, `${command.name} is refused with ${code}`);
  }
});

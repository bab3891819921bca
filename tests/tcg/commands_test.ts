// The declarations beside what libtpms says of its commands: each is declared, with as many handles
// and the attributes that TPM2_GetCapability gives, and wants authorisations where the declaration
// says so.

import assert from "node:assert/strict";
import { TPMA_CC } from "../../tcg/tpm2/attributes.ts";
import type { AnyDeclaration } from "../../tcg/tpm2/command.ts";
import { assembleCommand, passwordSession } from "../../tcg/tpm2/command_bytes.ts";
import { commandByCode } from "../../tcg/tpm2/commands.ts";
import { TPM2_GetCapability } from "../../tcg/tpm2/commands/capabilities.ts";
import { TPM_CAP, TPM_RH } from "../../tcg/tpm2/constants.ts";
import { readResponse } from "../../tcg/tpm2/message.ts";
import { resultOf, TPM_RC } from "../../tcg/tpm2/results.ts";
import { srkTemplate } from "../../tcg/tpm2/templates/storage.ts";
import { text } from "../support/bytes.ts";
import { withNewLibtpms } from "../support/peer_programs.ts";
import { programUnderTest } from "../support/programs.ts";
import { defineNv, NV_INDEX, primary } from "./objects.ts";
import { TpmClient } from "./tpm_client.ts";

const PROGRAMS = {
  "the system's libtpms": () => Promise.resolve(programUnderTest()),
  "libtpms 0.10": () => withNewLibtpms(),
};

/** What the TPM has, as it describes it. */
async function commandsOf(tpm: TpmClient): Promise<readonly number[]> {
  const { moreData, capabilityData } = await tpm.run(TPM2_GetCapability, {
    capability: TPM_CAP.COMMANDS,
    property: 0,
    propertyCount: 1000,
  });
  assert.equal(moreData, 0);
  return capabilityData.data.command!;
}

function declarationOf(attributes: number): AnyDeclaration | undefined {
  const vendor = TPMA_CC.get(attributes, "V") * 0x20000000;
  return commandByCode(vendor + TPMA_CC.get(attributes, "commandIndex"));
}

/** A handle of each type that leads to something. */
async function handlesOf(tpm: TpmClient): Promise<Readonly<Record<string, number>>> {
  const key = await primary(tpm, srkTemplate("ECC P-256"));
  const session = await tpm.startSession();
  const policy = await tpm.startSession({ type: "POLICY" });
  await defineNv(tpm, "");
  const { OWNER, PLATFORM, ENDORSEMENT, LOCKOUT, ACT_0 } = TPM_RH;
  return {
    ...{ TPMI_DH_OBJECT: key, TPMI_DH_PARENT: key, TPMI_DH_CONTEXT: key, TPMI_DH_ENTITY: OWNER },
    ...{ TPMI_DH_PCR: 16, TPMI_SH_AUTH_SESSION: session.handle, TPMI_SH_HMAC: session.handle },
    ...{ TPMI_SH_POLICY: policy.handle, TPMI_RH_HIERARCHY: OWNER, TPMI_RH_BASE_HIERARCHY: OWNER },
    ...{ TPMI_RH_HIERARCHY_AUTH: OWNER, TPMI_RH_HIERARCHY_POLICY: OWNER, TPMI_RH_OWNER: OWNER },
    ...{ TPMI_RH_PLATFORM: PLATFORM, TPMI_RH_ENDORSEMENT: ENDORSEMENT, TPMI_RH_CLEAR: PLATFORM },
    ...{ TPMI_RH_PROVISION: OWNER, TPMI_RH_NV_AUTH: OWNER, TPMI_RH_NV_INDEX: NV_INDEX },
    ...{ TPMI_RH_NV_DEFINED_INDEX: NV_INDEX, TPMI_RH_LOCKOUT: LOCKOUT, TPMI_RH_ACT: ACT_0 },
  };
}

for (const [name, program] of Object.entries(PROGRAMS)) {
  Deno.test(`every command of ${name} is declared with its attributes`, async () => {
    await using tpm = await TpmClient.start(await program());
    const commands = await commandsOf(tpm);
    assert.ok(commands.length > 100, `${commands.length} commands`);
    for (const attributes of commands) {
      const declaration = declarationOf(attributes);
      assert.ok(declaration, `0x${attributes.toString(16)} is not declared`);
      const { lists, nv, extensive, flushed } = declaration;
      assert.deepEqual(
        { handles: lists.handles.length, response: lists.responseHandles.length },
        {
          handles: TPMA_CC.get(attributes, "cHandles"),
          response: TPMA_CC.get(attributes, "rHandle"),
        },
        declaration.name,
      );
      const flags = (["nv", "extensive", "flushed"] as const)
        .filter((flag) => TPMA_CC.get(attributes, flag) === 1);
      const declared = [...nv ? ["nv"] : [], ...extensive ? ["extensive"] : []];
      assert.deepEqual([...declared, ...flushed ? ["flushed"] : []], flags, declaration.name);
    }
  });

  Deno.test(`the commands of ${name} are authorised where the declarations say so`, async () => {
    await using tpm = await TpmClient.start(await program());
    const handleOf = await handlesOf(tpm);
    for (const attributes of await commandsOf(tpm)) {
      const command = declarationOf(attributes)!;
      const handles = command.lists.handles.map(({ codec }) => handleOf[codec.type]!);
      const wanted = command.lists.handles.map(({ codec }) => codec.role !== undefined);
      const count = wanted.lastIndexOf(true) + 1;
      assert.ok(wanted.slice(0, count).every(Boolean), `${command.name}: these come first`);
      // A wrong password, and no parameters: nothing is done that would be in the way.
      const sessions = Array.from({ length: count }, () => passwordSession(text("wrong")));
      for (let given = 0; given <= count; given++) {
        const area = sessions.slice(0, given);
        const bytes = assembleCommand(command, handles, area, new Uint8Array(0));
        const { code } = readResponse(await tpm.send(bytes), command);
        const isMissing = code === TPM_RC.AUTH_MISSING;
        const said = `${command.name} with ${given} of ${count}: ${resultOf(code).name}`;
        assert.equal(isMissing, given < count, said);
      }
    }
  });
}

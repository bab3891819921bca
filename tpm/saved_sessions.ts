// Sessions that a client of an earlier life saved and never ended. A TPM 2 that went down in order keeps
// them over Startup(CLEAR), together with saved keys, which clients do come back to; sessions only use
// up the 64 places that there are, until none can be started any more.
import { struct, u32, u8 } from "../wire/codec.ts";
import { Tpm2, TpmRc } from "../wire/codes.ts";
import { commandHeader, responseHeader } from "../wire/tpm.ts";

/** TPM2_GetCapability (TPM 2.0 Library Part 3, 30.2). */
const getCapability = struct("TPM2_GetCapability", {
  ...commandHeader.fields,
  capability: u32,
  property: u32,
  propertyCount: u32,
});
/** Its response, before the handles. */
const handleList = struct("TPM2_GetCapability response", {
  ...responseHeader.fields,
  moreData: u8,
  capability: u32,
  count: u32,
});
/** TPM2_FlushContext (TPM 2.0 Library Part 3, 28.4). */
const flushContext = struct("TPM2_FlushContext", { ...commandHeader.fields, flushHandle: u32 });

const tag = Tpm2.ST_NO_SESSIONS;
const ask = getCapability.encode({
  tag,
  size: getCapability.size,
  code: Tpm2.CC_GetCapability,
  capability: Tpm2.CAP_HANDLES,
  property: Tpm2.SAVED_SESSION_FIRST,
  propertyCount: Tpm2.ACTIVE_SESSIONS_MAX,
});

/** Ends all saved sessions; `send` has the TPM answer a command, until the next one. */
export function endSavedSessions(
  send: (command: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>,
): void {
  const answer = send(ask);
  if (answer.length < handleList.size) return;
  const { code, count } = handleList.decode(answer);
  if (code !== TpmRc.SUCCESS || answer.length < handleList.size + count * u32.size) return;
  const handles = Array.from(
    { length: count },
    (_, index) => u32.read(answer, handleList.size + index * u32.size),
  );
  for (const flushHandle of handles) {
    const size = flushContext.size;
    send(flushContext.encode({ tag, size, code: Tpm2.CC_FlushContext, flushHandle }));
  }
}

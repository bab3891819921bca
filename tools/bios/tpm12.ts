// What swtpm_bios does with a TPM 1.2.
import { type Struct, struct, u16, u32, u8 } from "../../wire/codec.ts";
import type { Send } from "./bios.ts";
import { Patience } from "./exchange.ts";
import type { Asked, Startup } from "./words.ts";

const TAG_RQU_COMMAND = 0x00c1;
const header = struct("TPM 1.2 command", { tag: u16, size: u32, ordinal: u32 });
const Ordinal = {
  GetCapability: 0x65,
  PhysicalEnable: 0x6f,
  PhysicalSetDeactivated: 0x72,
  ContinueSelfTest: 0x53,
  Startup: 0x99,
  PhysicalPresence: 0x4000000a,
} as const;

const startupTypes: Readonly<Record<Exclude<Startup, "none">, number>> = {
  clear: 1,
  state: 2,
  deactivated: 3,
};

const Presence = { CMD_ENABLE: 0x20, PRESENT: 8, NOT_PRESENT: 0x10, LOCK: 4 } as const;

const CAP_FLAG = 4;
const CAP_FLAG_PERMANENT = 0x108;

/** TPM_PERMANENT_FLAGS behind the header and the size of what comes, as far as it is of use. */
const permanentFlags = struct("TPM_PERMANENT_FLAGS", {
  tag: u16,
  disable: u8,
  ownership: u8,
  deactivated: u8,
});
const FLAGS_AT = header.size + 4;

/** Returns whether the TPM has to be reset before it is active. */
export function startTpm12(asked: Asked, send: Send): boolean {
  const { startup, more, selfTest, ensureActivated, giveUp } = asked;
  const presence = (name: string, bits: number) =>
    send(`TSC_PhysicalPresence(${name})`, command(Ordinal.PhysicalPresence, u16Of, bits));
  if (startup !== "none") {
    const type = startupTypes[startup];
    send(`TPM_Startup(0x0${type})`, command(Ordinal.Startup, u16Of, type));
  }
  if (more) {
    presence("CMD_ENABLE", Presence.CMD_ENABLE);
    presence("PRESENT", Presence.PRESENT);
    const wasDeactivated = ensureActivated && isDeactivated(send);
    send("TPM_PhysicalEnable", command(Ordinal.PhysicalEnable));
    send("TPM_PhysicalSetDeactivated", command(Ordinal.PhysicalSetDeactivated, u8Of, 0));
    if (wasDeactivated) return true;
  }
  if (selfTest) {
    send("TPM_ContinueSelfTest", command(Ordinal.ContinueSelfTest), Patience.LONG);
  }
  if (giveUp) {
    presence("CMD_ENABLE", Presence.CMD_ENABLE);
    presence("NOT_PRESENT|LOCK", Presence.NOT_PRESENT | Presence.LOCK);
  }
  return false;
}

function isDeactivated(send: Send): boolean {
  const body = getCapability.encode({ cap: CAP_FLAG, size: 4, subcap: CAP_FLAG_PERMANENT });
  const response = send("TPM_GetCapability()", commandWith(Ordinal.GetCapability, body));
  if (response.length < FLAGS_AT + permanentFlags.size) return false;
  return permanentFlags.read(response, FLAGS_AT).deactivated !== 0;
}

const getCapability = struct("TPM_GetCapability", { cap: u32, size: u32, subcap: u32 });
const u16Of = struct("number", { value: u16 });
const u8Of = struct("boolean", { value: u8 });

// deno-lint-ignore no-explicit-any
function command(ordinal: number, layout?: Struct<any>, value = 0): Uint8Array<ArrayBuffer> {
  return commandWith(ordinal, layout?.encode({ value }) ?? new Uint8Array(0));
}

function commandWith(ordinal: number, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const size = header.size + body.length;
  return header.encode({ tag: TAG_RQU_COMMAND, size, ordinal }, body);
}

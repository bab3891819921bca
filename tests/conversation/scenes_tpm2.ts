// The scenes only TPM 2 plays: the send-command prefix with its locality, and keys. Leaves what
// both versions have in common to scenes_common.ts.

import { TPM_CAP } from "../../tcg/tpm2/constants.ts";
import { fields, repeated, u32, u8 } from "../support/bytes.ts";
import { CMD, payload } from "../support/control.ts";
import { tpm2, withLocality } from "../support/tpm2.ts";
import { control, data, random, type Scene } from "./step.ts";

/** Answer of a prefixed command: length, then the answer, of which the handle is not random. */
const PREFIXED_RANDOM = [random(4 + 10 + 2, 16)];

/** All scenes that only TPM 2 plays. */
export function tpm2Scenes(): Scene[] {
  return [prefix(), prefixPieces(), keys()];
}

function prefix(): Scene {
  const reset = tpm2.pcrReset(20);
  return {
    name: "send-command prefix",
    args: ["--locality", "reject-locality-4"],
    steps: [
      data("Startup before INIT", withLocality(0, tpm2.startup())),
      data("prefix and a few bytes before INIT", withLocality(0, repeated(0, 3))),
      control("INIT", CMD.INIT, payload.init()),
      data("Startup", withLocality(0, tpm2.startup())),
      data("GetRandom", withLocality(0, tpm2.getRandom(16)), { masks: PREFIXED_RANDOM }),
      ...[0, 1, 2, 3, 4, 5, 255].flatMap((locality) => [
        data(`reset PCR 20 in locality ${locality}`, withLocality(locality, reset)),
        data(`the locality ${locality} stays`, reset),
      ]),
      control("SET_LOCALITY 2", CMD.SET_LOCALITY, payload.setLocality(2)),
      data("SET_LOCALITY overrides the prefix", reset),
      data("a prefix overrides SET_LOCALITY", withLocality(0, reset)),
      data("the prefix stays", reset),
      data("wrong size in the prefix", fields(u32(8), u8(0), u32(9999), tpm2.getRandom(16)), {
        masks: PREFIXED_RANDOM,
      }),
      data("nothing but a prefix and a byte", withLocality(0, u8(0x80))),
      data("a prefix and nine bytes", withLocality(0, repeated(0x80, 9))),
      data("a prefix and ten zeros", withLocality(0, repeated(0, 10))),
      data("a prefix and a prefix", withLocality(0, withLocality(0, tpm2.getRandom(16)))),
      ...[0, 7, 9, 0x08000000].map((word) =>
        data(`another word ${word}`, fields(u32(word), u8(0), u32(12), tpm2.getRandom(16)))
      ),
      data("proxy's SetLocality behind a prefix", withLocality(1, proxySetLocality())),
      control("STOP", CMD.STOP),
      data("GetRandom stopped", withLocality(0, tpm2.getRandom(16))),
    ],
  };
}

function proxySetLocality(): Uint8Array {
  return fields(new Uint8Array([0x80, 0x01]), u32(11), u32(0x20001000), u8(2));
}

function prefixPieces(): Scene {
  const command = withLocality(0, tpm2.getCapability(TPM_CAP.TPM_PROPERTIES, 0x100, 1));
  return {
    name: "prefix in pieces",
    flags: ["startup-clear"],
    steps: [
      data("prefix, then command", command, { split: [9, 100] }),
      data("half a prefix, then the rest", command, { split: [4, 100] }),
      data("prefix, then nothing but a byte", command.subarray(0, 10)),
      data("the command in one segment", command),
      data("prefix and header, then the rest", command, {
        split: [19, 100],
        reaction: "all",
      }),
      data("two prefixed commands at once", fields(command, command), { reaction: "all" }),
      data("the command again", command),
    ],
  };
}

function keys(): Scene {
  return {
    name: "keys",
    steps: [
      control("INIT", CMD.INIT, payload.init()),
      data("Startup", tpm2.startup()),
      // Only the handle and the sizes before the key are the same each time.
      data("CreatePrimary", tpm2.createPrimaryEcc(), { masks: [random(40)] }),
      data("EvictControl", tpm2.evictControl(0x80000000)),
      data("EvictControl again", tpm2.evictControl(0x80000000)),
      data("transient handles", tpm2.getCapability(TPM_CAP.HANDLES, 0x80000000, 8)),
      data("persistent handles", tpm2.getCapability(TPM_CAP.HANDLES, 0x81000000, 8)),
      data("FlushContext", tpm2.flushContext(0x80000000)),
      data("FlushContext again", tpm2.flushContext(0x80000000)),
      control("INIT again", CMD.INIT, payload.init()),
      data("Startup again", tpm2.startup()),
      data("persistent handles are kept", tpm2.getCapability(TPM_CAP.HANDLES, 0x81000000, 8)),
      data("ReadClock", tpm2.readClock(), { masks: [{ from: 10, why: "a clock" }] }),
      control("SET_BUFFERSIZE 0", CMD.SET_BUFFERSIZE, payload.setBufferSize(0)),
      control("STOP", CMD.STOP),
      control("SET_BUFFERSIZE 3000", CMD.SET_BUFFERSIZE, payload.setBufferSize(3000)),
      control("INIT with smaller buffers", CMD.INIT, payload.init()),
      data("Startup with smaller buffers", tpm2.startup()),
      data(
        "the buffers' size as the TPM tells it",
        tpm2.getCapability(TPM_CAP.TPM_PROPERTIES, 0x11e, 2),
      ),
    ],
  };
}

// The scenes only TPM 1.2 plays: the saved state as a blob of its own, and what TPM 2 alone knows.
// Leaves what both versions have in common to scenes_common.ts.

import { repeated } from "../support/bytes.ts";
import { BLOB, CMD, payload } from "../support/control.ts";
import { TPM_ST } from "../../tcg/tpm12/constants.ts";
import { firmwareStart, tpm12 } from "../support/tpm12.ts";
import { tpm2, withLocality } from "../support/tpm2.ts";
import { control, data, keptBlob, type Message, random, type Scene } from "./step.ts";

/** All scenes that only TPM 1.2 plays. */
export function tpm12Scenes(): Scene[] {
  return [saveState(), others()];
}

/** State of an answer: behind result, flags, lengths, the blob's header and its first tag. */
const STATE = [random(16 + 10 + 6)];

function getBlob(id: string, type: number, keep: string): Message {
  return control(id, CMD.GET_STATEBLOB, payload.getStateBlob(type, 1), { masks: STATE, keep });
}

function setBlob(id: string, type: number, name: string): Message {
  return control(
    id,
    CMD.SET_STATEBLOB,
    (kept) => payload.setStateBlob(type, keptBlob(kept, name).data),
  );
}

function saveState(): Scene {
  return {
    name: "saved state as a blob",
    steps: [
      control("INIT", CMD.INIT, payload.init()),
      ...firmwareStart().map((bytes, n) => data(`start ${n}`, bytes)),
      data("extend PCR 8", tpm12.extend(8, repeated(1, 20))),
      data("SaveState", tpm12.saveState()),
      getBlob("get permanent", BLOB.PERMANENT, "permanent"),
      getBlob("get savestate", BLOB.SAVESTATE, "savestate"),
      control(
        "LOCK_STORAGE after the savestate went out",
        CMD.LOCK_STORAGE,
        payload.lockStorage(1),
      ),
      data("extend PCR 8 again", tpm12.extend(8, repeated(2, 20))),
      control("STOP", CMD.STOP),
      setBlob("set permanent", BLOB.PERMANENT, "permanent"),
      setBlob("set savestate", BLOB.SAVESTATE, "savestate"),
      setBlob("set savestate as volatile", BLOB.VOLATILE, "savestate"),
      setBlob("set permanent after a refusal", BLOB.PERMANENT, "permanent"),
      setBlob("set savestate after a refusal", BLOB.SAVESTATE, "savestate"),
      control("INIT with blobs", CMD.INIT, payload.init()),
      data("Startup with the saved state", tpm12.startup(TPM_ST.STATE)),
      data("PCR 8 as saved", tpm12.pcrRead(8)),
      control("INIT again", CMD.INIT, payload.init()),
      data("Startup with no state", tpm12.startup(TPM_ST.STATE)),
    ],
  };
}

function others(): Scene {
  return {
    name: "what TPM 2 alone knows",
    flags: ["startup-deactivated"],
    steps: [
      data("Startup has been sent", tpm12.startup()),
      data("a prefixed command", withLocality(0, tpm12.getRandom(4))),
      data("a command of TPM 2", tpm2.getRandom(4)),
      data("a deactivated TPM", tpm12.pcrRead(3)),
      data("GetTicks", tpm12.getTicks(), { masks: [{ from: 10, why: "a clock and a nonce" }] }),
    ],
  };
}

// The whole conversation: every scene, per TPM version. Leaves the scenes' content to their tables.

import { TPM12, TPM2 } from "./family.ts";
import { commonScenes } from "./scenes_common.ts";
import { tpm12Scenes } from "./scenes_tpm12.ts";
import { tpm2Scenes } from "./scenes_tpm2.ts";
import type { Scene } from "./step.ts";

/** One TPM version's conversation. */
export interface Conversation {
  readonly name: string;
  readonly tpm2: boolean;
  readonly scenes: readonly Scene[];
}

/** The conversations of both TPM versions. */
export function conversations(): Conversation[] {
  return [
    { name: TPM2.name, tpm2: true, scenes: [...commonScenes(TPM2), ...tpm2Scenes()] },
    { name: TPM12.name, tpm2: false, scenes: [...commonScenes(TPM12), ...tpm12Scenes()] },
  ];
}

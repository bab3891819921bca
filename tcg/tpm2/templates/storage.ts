// Templates of storage root keys (TCG TPM v2.0 Provisioning Guidance, 7.5.1): those of the EKs, but
// for users who know an auth value. Those of RSA 3072 and P-384 are swtpm_setup's.

import { TPMA_OBJECT } from "../attributes.ts";
import type { TPMT_PUBLIC } from "../structures/objects.ts";
import { KEY_KINDS, type KeyKind, template } from "./key_kinds.ts";

const ATTRIBUTES = TPMA_OBJECT.of(
  ...["fixedTPM", "fixedParent", "sensitiveDataOrigin", "userWithAuth"] as const,
  ...["noDA", "restricted", "decrypt"] as const,
);

/** The template of a storage root key. */
export function srkTemplate(kind: KeyKind): TPMT_PUBLIC {
  return template({
    kind,
    objectAttributes: ATTRIBUTES,
    authPolicy: new Uint8Array(0),
    storage: true,
    unique: [new Uint8Array(KEY_KINDS[kind].bytes)],
  });
}

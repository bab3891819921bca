// Templates of keys that say which device it is: IAK, the initial attestation key, and IDevID, the
// initial device identity (TPM 2.0 Keys for Device Identity and Attestation, 7.3).

import { TPM_ALG } from "../algorithms.ts";
import { TPMA_OBJECT } from "../attributes.ts";
import type { TPMT_PUBLIC } from "../structures/objects.ts";
import { digest, KEY_KINDS, type KeyKind, NO_SCHEME, template } from "./key_kinds.ts";

const IAK_POLICY = {
  [TPM_ALG.SHA256]: digest("5437182326e414fca797d5f174615a1641f61255797c3a2b22c21d120b2d1e07"),
  [TPM_ALG.SHA384]: digest(
    "129d94ebf84556652c6eef43bbb757512ac87e52be7b349ca6ce4d826f749fcf672f51716c5cbb605f313bf345aab312",
  ),
  [TPM_ALG.SHA512]: digest(
    "8060d1fb31716a29e48a6e5fece088bcfc1b278fc162255e81c3eca3544cd44a" +
      "f94410c3715d561cccd9e39a6cb2646d43535bb54ea88710deb5f7836bd9b586",
  ),
};

const IDEVID_POLICY = {
  [TPM_ALG.SHA256]: digest("ad6b3a2284fd698a0710bf5cc1b9bdf15e2532e3f601fa4b93a6a8fa8de579ea"),
  [TPM_ALG.SHA384]: digest(
    "4db1aa836d0b5615df6ee53a40ef70c61c217f4303d44695925972bc927006cfa5cbdf6dc18c4dbe329b2f1542c3dd33",
  ),
  [TPM_ALG.SHA512]: digest(
    "7dd7500fd6c1b94f97a6af910da147301ef28f662fee06f225a4ccadda3b4e6b" +
      "38e66b2f3ad5dee1a0503cd2daedb1e68cfe4f84b03a8cd22bb6a976f071a72f",
  ),
};

const SIGNS = TPMA_OBJECT.of(
  ...["fixedTPM", "fixedParent", "sensitiveDataOrigin", "userWithAuth"] as const,
  ...["adminWithPolicy", "sign"] as const,
);

const EMPTY = new Uint8Array(0);

/** The template of an initial attestation key: it signs what the TPM says. */
export function iakTemplate(kind: KeyKind): TPMT_PUBLIC {
  const { size, hash } = KEY_KINDS[kind];
  return template({
    kind,
    objectAttributes: SIGNS | TPMA_OBJECT.of("restricted"),
    authPolicy: IAK_POLICY[hash],
    storage: false,
    scheme: "curve" in size ? ecdsa(hash) : rsapss(hash),
    unique: [new TextEncoder().encode("IAK"), EMPTY],
  });
}

/** The template of an initial device identity: it signs whatever it is given. */
export function idevidTemplate(kind: KeyKind): TPMT_PUBLIC {
  const { size, hash } = KEY_KINDS[kind];
  return template({
    kind,
    objectAttributes: SIGNS,
    authPolicy: IDEVID_POLICY[hash],
    storage: false,
    scheme: "curve" in size ? ecdsa(hash) : NO_SCHEME,
    unique: [new TextEncoder().encode("IDEVID"), EMPTY],
  });
}

function ecdsa(hashAlg: number) {
  return { scheme: TPM_ALG.ECDSA, details: { ecdsa: { hashAlg } } };
}

function rsapss(hashAlg: number) {
  return { scheme: TPM_ALG.RSAPSS, details: { rsapss: { hashAlg } } };
}

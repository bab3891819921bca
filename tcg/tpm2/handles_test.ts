// Tests of handles in words.

import { strictEqual } from "node:assert/strict";
import { handleKind, handleText } from "./handles.ts";

Deno.test("a handle is said by what it stands for", () => {
  for (
    const [handle, text] of [
      [0x00000007, "PCR 7"],
      [0x40000001, "owner"],
      [0x40000007, "null"],
      [0x40000009, "password"],
      [0x4000000d, "platform NV"],
      [0x40000112, "ACT 2"],
      [0x40000010, "vendor's authorisation 0"],
      [0x40000000, "0x40000000"],
      [0x01c00002, "NV 0x01c00002 (EK certificate RSA 2048)"],
      [0x01c0000b, "NV 0x01c0000b (EK nonce ECC P-256)"],
      [0x01c00017, "NV 0x01c00017 (EK template ECC P-384)"],
      [0x01c00102, "NV 0x01c00102 (EK certificate chain)"],
      [0x01c07f02, "NV 0x01c07f02 (EK policy SHA384)"],
      [0x01c08000, "NV 0x01c08000 (platform certificate)"],
      [0x01500010, "NV 0x01500010 (platform maker's)"],
      [0x01c90100, "NV 0x01c90100 (IAK certificate)"],
      [0x01f00000, "NV 0x01f00000"],
      [0x02000000, "HMAC session 0x02000000"],
      [0x03000001, "policy session 0x03000001"],
      [0x80ffffff, "0x80ffffff"],
      [0x81000001, "0x81000001 (SRK)"],
      [0x81010001, "0x81010001 (EK RSA 2048)"],
      [0x81010012, "0x81010012 (EK RSA 2048 high range)"],
      [0x81020001, "0x81020001 (IAK)"],
      [0x81000123, "0x81000123 (storage key)"],
      [0x81100000, "0x81100000"],
      [0xffffffff, "0xffffffff"],
    ] as const
  ) strictEqual(handleText(handle), text);
  strictEqual(handleKind(0x80000000), "transient object");
  strictEqual(handleKind(0x90000000), "unknown");
});

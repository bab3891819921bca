// Which commands run beside the loop: by their codes, and by what they make.
import { equal } from "node:assert/strict";
import { Tpm12, Tpm2 } from "../wire/codes.ts";
import { isLongTpm12, isLongTpm2 } from "./long_commands.ts";

/** A command that makes an object: two bytes of authorization, a sensitive part of three bytes. */
function create(code: number, type: number): Uint8Array {
  return Uint8Array.of(
    ...[0x80, 2, 0, 0, 0, 29, 0, 0, code >> 8, code],
    ...[0x40, 0, 0, 1],
    ...[0, 0, 0, 2, 9, 9],
    ...[0, 3, 9, 9, 9],
    ...[0, 2, type >> 8, type],
  );
}

const [RSA, KEYEDHASH, ECC] = [0x01, 0x08, 0x23];

Deno.test("TPM 2: making an RSA key is long, making another object is not", () => {
  for (const code of [Tpm2.CC_CreatePrimary, Tpm2.CC_Create, Tpm2.CC_CreateLoaded]) {
    const long = (type: number) => {
      const command = create(code, type);
      return isLongTpm2(code, command, command.length);
    };
    equal(long(RSA), true);
    equal(long(ECC), false);
    equal(long(KEYEDHASH), false);
  }
});

Deno.test("TPM 2: a command that is cut short, or lies about a size, might be long", () => {
  const command = create(Tpm2.CC_Create, ECC);
  for (let size = 10; size < command.length; size++) {
    equal(isLongTpm2(Tpm2.CC_Create, command, size), true);
  }
  for (const at of [14, 20]) {
    const lying = command.slice();
    lying[at] = 0xff;
    equal(isLongTpm2(Tpm2.CC_Create, lying, lying.length), true);
  }
});

Deno.test("self tests are long, random numbers are not", () => {
  const nothing = new Uint8Array(10);
  equal(isLongTpm2(Tpm2.CC_SelfTest, nothing, nothing.length), true);
  equal(isLongTpm2(Tpm2.CC_Create + 1, nothing, nothing.length), false);
  equal(isLongTpm12(Tpm12.ORD_SelfTestFull), true);
  equal(isLongTpm12(0x46), false);
});

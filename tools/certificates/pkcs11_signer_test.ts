// Keys in tokens behind a module that does as tests want it: which key is found, and what becomes of
// modules that misbehave. A real one signs in tests/family/.

import assert from "node:assert/strict";
import { CKK, type Token } from "../../ffi/pkcs11.ts";
import { openTokenSigner, type TokenModule, type TokenSession } from "./pkcs11_signer.ts";

/** One token with what it answers. */
interface FakeToken {
  readonly label: string;
  readonly keyType?: number;
  readonly signature?: Uint8Array<ArrayBuffer>;
  /** Nobody is let in. */
  readonly closed?: true;
}

class FakeModule implements TokenModule {
  /** Sessions and the module itself. */
  open = 1;

  constructor(private readonly fakes: readonly FakeToken[]) {}

  tokens(): Token[] {
    return this.fakes.map(({ label }, index) => ({
      ...{ slot: BigInt(index), label, manufacturer: "m", model: "o", serial: `${index}` },
    }));
  }

  session(slot: bigint): TokenSession {
    const { closed, keyType, signature } = this.fakes[Number(slot)]!;
    if (closed) throw new Error("C_Login failed: CKR_PIN_INCORRECT");
    this.open++;
    return {
      find: () => keyType === undefined ? [] : [1n],
      number: () => keyType!,
      sign: () => signature!,
      [Symbol.dispose]: () => void this.open--,
    };
  }

  [Symbol.dispose](): void {
    this.open--;
  }
}

const noPins = { password: undefined, variable: undefined, readFile: () => "" };
const data = new Uint8Array([1, 2, 3]);

function signerWith(module: FakeModule, uri = "pkcs11:object=k") {
  return openTokenSigner(uri, noPins, "sha256", () => module);
}

Deno.test("a token that refuses does not stand in the way of the next", () => {
  const signature = new Uint8Array([7]);
  const module = new FakeModule([
    { label: "closed", closed: true },
    { label: "empty" },
    { label: "full", keyType: CKK.RSA, signature },
  ]);
  {
    using signer = signerWith(module);
    assert.equal(signer.sign(data), signature);
    assert.equal(module.open, 2);
  }
  assert.equal(module.open, 0);
});

Deno.test("without a key it is told what stood in the way, and nothing stays open", () => {
  const cases: readonly (readonly [string, FakeToken[], RegExp])[] = [
    ["pkcs11:token=other", [{ label: "one" }], /no token is there for/],
    ["pkcs11:slot-id=5", [{ label: "one" }], /no token is there for/],
    ["pkcs11:object=k", [{ label: "one" }], /no private key.*without a PIN a token shows none/],
    ["pkcs11:", [{ label: "one", closed: true }, { label: "two" }], /CKR_PIN_INCORRECT/],
    ["pkcs11:", [{ label: "one", keyType: 0x1f }], /of the kind 'CKK 0x1f' signs no/],
  ];
  for (const [uri, tokens, message] of cases) {
    const module = new FakeModule(tokens);
    assert.throws(() => signerWith(module, uri), message);
    assert.equal(module.open, 0, uri);
  }
});

Deno.test("an ECDSA signature is two numbers of one size, or refused", () => {
  const sign = (signature: Uint8Array<ArrayBuffer>) => {
    using signer = signerWith(new FakeModule([{ label: "one", keyType: CKK.EC, signature }]));
    return signer.sign(data).toHex();
  };
  assert.equal(sign(new Uint8Array([0x00, 0x01, 0x80, 0x02])), "30080201010203008002");
  assert.throws(() => sign(new Uint8Array(3)), /signature of 3 bytes/);
});

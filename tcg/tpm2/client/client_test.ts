// Tests of the client without a TPM: what is sent, and what becomes of responses that are not as they
// should be. That a TPM agrees with what is calculated is tested in tests/tcg/.

import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { TPM_ALG } from "../algorithms.ts";
import { commandBytes, passwordSession } from "../command_bytes.ts";
import { TPM2_ReadClock } from "../commands/clocks.ts";
import { TPM2_Clear } from "../commands/hierarchies.ts";
import { TPM2_GetRandom } from "../commands/random.ts";
import { TPM_RH } from "../constants.ts";
import { authValue, password } from "./authorization.ts";
import { AES_128_CFB, Client } from "./client.ts";
import { CommandError } from "./command_error.ts";
import { Session } from "./session.ts";

const GET_RANDOM = { bytesRequested: 2 };
const EMPTY = new Uint8Array(0);

/** A client whose TPM gives one response to everything; what it was sent. */
function clientOf(response: string): { client: Client; sent: Uint8Array[] } {
  const sent: Uint8Array[] = [];
  const bytes = Uint8Array.fromHex(response.replaceAll(" ", ""));
  const client = new Client((command) => {
    sent.push(command);
    return bytes;
  });
  return { client, sent };
}

function session(): Session {
  return new Session({
    ...{ handle: 0x02000000, policy: false, hash: TPM_ALG.SHA256, symmetric: AES_128_CFB },
    ...{ key: EMPTY, boundTo: undefined, nonceTPM: new Uint8Array(32) },
  });
}

Deno.test("a command is sent with what was given and empty passwords", async () => {
  const { client, sent } = clientOf("8001 0000000e 00000000 0002 abcd");
  const { randomBytes } = await client.run(TPM2_GetRandom, GET_RANDOM);
  deepStrictEqual(randomBytes, Uint8Array.of(0xab, 0xcd));
  deepStrictEqual(sent, [commandBytes(TPM2_GetRandom, GET_RANDOM)]);

  const cleared = clientOf("8002 00000013 00000000 00000000 0000 01 0000");
  const value = { authHandle: TPM_RH.LOCKOUT };
  await cleared.client.run(TPM2_Clear, value);
  await cleared.client.run(TPM2_Clear, value, password("secret\0"));
  deepStrictEqual(cleared.sent, [
    commandBytes(TPM2_Clear, value),
    commandBytes(TPM2_Clear, value, [passwordSession(new TextEncoder().encode("secret"))]),
  ]);
});

Deno.test("a refusal is an error with its result and place", async () => {
  const { client } = clientOf("8001 0000000a 000001d5");
  await rejects(client.run(TPM2_GetRandom, GET_RANDOM), (error) => {
    strictEqual(error instanceof CommandError, true);
    const { command, result, message } = error as CommandError;
    strictEqual(command, TPM2_GetRandom);
    deepStrictEqual(result.position, { of: "parameter", number: 1 });
    strictEqual(
      message,
      "TPM2_GetRandom: TPM_RC_SIZE (parameter 1, bytesRequested): " +
        "the size of the structure does not fit",
    );
    return true;
  });
});

Deno.test("a response that is not as it should be is not taken for one", async () => {
  for (
    const [response, message] of [
      ["8001 0000000e", /commandSize|responseCode|responseSize|wanted/],
      ["8001 0000000f 00000000 0002 abcd", /the header says 15 bytes, there are 14/],
      ["8001 0000000f 00000000 0002 abcd ef", /1 byte left over/],
      ["8001 0000000e 00000000 0003 abcd", /3 bytes announced, 2 left/],
    ] as const
  ) await rejects(clientOf(response).client.run(TPM2_GetRandom, GET_RANDOM), message, response);

  const without = clientOf("8001 0000000a 00000000").client;
  await rejects(
    without.run(TPM2_Clear, { authHandle: TPM_RH.LOCKOUT }),
    /the response has fewer sessions than the command/,
  );
});

Deno.test("what a session cannot do is said before anything is sent", async () => {
  const { client, sent } = clientOf("8001 0000000a 00000000");
  await rejects(
    client.run(TPM2_ReadClock, {}, session().use({ decrypt: true })),
    /^WireError: TPM2_ReadClock has no parameter that could be encrypted$/,
  );
  strictEqual(sent.length, 0);
});

Deno.test("a response that is encrypted unasked, or by nobody, is refused", async () => {
  // The session's attributes say "encrypt", which no session was to do.
  const { client } = clientOf("8002 00000017 00000000 00000004 0002 abcd 0000 41 0000");
  await rejects(
    client.run(TPM2_GetRandom, GET_RANDOM, password()),
    /^WireError: the response is encrypted, and no session was to encrypt it$/,
  );
});

Deno.test("an auth value ends before its zeros", () => {
  deepStrictEqual(authValue("a\0b\0\0"), Uint8Array.of(0x61, 0, 0x62));
  deepStrictEqual(authValue(new Uint8Array(3)), EMPTY);
});

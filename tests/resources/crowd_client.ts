// One of a crowd at the managed address: five objects and three sessions of its own at a time, and all
// that one does with them, where each answer can be checked. As a program it is several of them, for
// tests that stop or kill it: crowd_client.ts PATH SEED CLIENTS goes on until it is ended.
import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { TPM_ALG } from "../../tcg/tpm2/algorithms.ts";
import { TPMA_OBJECT } from "../../tcg/tpm2/attributes.ts";
import { AES_128_CFB, Client, type SessionOptions } from "../../tcg/tpm2/client/client.ts";
import { CommandError } from "../../tcg/tpm2/client/command_error.ts";
import type { Session } from "../../tcg/tpm2/client/session.ts";
import { TPM_CC } from "../../tcg/tpm2/command_codes.ts";
import { TPM2_GetSessionAuditDigest } from "../../tcg/tpm2/commands/attestation.ts";
import { TPM2_CreatePrimary } from "../../tcg/tpm2/commands/hierarchies.ts";
import { TPM2_Unseal } from "../../tcg/tpm2/commands/objects.ts";
import {
  TPM2_PolicyAuthValue,
  TPM2_PolicyCommandCode,
  TPM2_PolicyGetDigest,
} from "../../tcg/tpm2/commands/policies.ts";
import { TPM2_GetRandom } from "../../tcg/tpm2/commands/random.ts";
import {
  TPM2_HashSequenceStart,
  TPM2_HMAC_Start,
  TPM2_SequenceComplete,
  TPM2_SequenceUpdate,
} from "../../tcg/tpm2/commands/sequences.ts";
import { TPM2_Sign, TPM2_VerifySignature } from "../../tcg/tpm2/commands/signing.ts";
import { TPM2_HMAC } from "../../tcg/tpm2/commands/symmetric.ts";
import { TPM_RH, TPM_ST } from "../../tcg/tpm2/constants.ts";
import { idevidTemplate } from "../../tcg/tpm2/templates/identity.ts";
import { srkTemplate } from "../../tcg/tpm2/templates/storage.ts";
import { Random } from "../robustness/random.ts";
import { Port } from "../simulator/server.ts";
import type { Address } from "../support/client.ts";
import { hex, text } from "../support/bytes.ts";
import { pause } from "../support/wait.ts";
import { primary, seal } from "../tcg/objects.ts";

const EMPTY = new Uint8Array(0);
const NO_SCHEME = { scheme: TPM_ALG.NULL, details: {} };
const NO_TICKET = { tag: TPM_ST.HASHCHECK, hierarchy: TPM_RH.NULL, digest: EMPTY };
/** All 64 sessions of the TPM are there: somebody will end one. */
const NO_PLACE = 0x905;
const PLACE_MS = 5;

const isRetry = (response: Uint8Array) => response[8] === 0x09 && response[9] === 0x22;

export class CrowdClient extends Client {
  /** How many rounds it has done. */
  rounds = 0;

  private constructor(private readonly port: Port, private readonly random: Random) {
    super(async (command) => {
      const response = await port.run(command);
      // The first use of something that can be guessed at.
      return isRetry(response) ? await port.run(command) : response;
    });
  }

  static async connect(address: Address, seed: number): Promise<CrowdClient> {
    return new CrowdClient(await Port.connect(address), new Random(seed));
  }

  /** Makes five objects and three sessions, uses them over and over, ends them all. */
  async round(uses = 3): Promise<void> {
    const secret = hex(this.random.bytes(8));
    const key = this.random.bytes(32);
    const parent = { handle: await primary(this, srkTemplate("ECC P-256")), auth: "" };
    const signer = await this.#makeSigner(secret);
    const hmac = await this.#makeHmacKey(key);
    const policy = await this.#start({ type: "POLICY", symmetric: AES_128_CFB });
    const authPolicy = await this.#wantUnseal(policy);
    const sealed = await seal(this, text(secret), { parent, auth: "item", authPolicy });
    const open = await seal(this, text(`${secret} open`), { parent, auth: "open" });
    const salted = await this.#start({ saltedBy: parent.handle, symmetric: AES_128_CFB });
    const audit = await this.#start();
    for (let use = 0; use < uses; use++) {
      const work = [
        () => this.#sign(signer, use),
        () => this.#hmac(hmac, key, use),
        () => this.#unsealByPolicy(sealed, policy, secret),
        () => this.#unsealEncrypted(open, salted, `${secret} open`),
        () => this.#audit(audit),
        () => this.#sequences(hmac, key),
      ];
      while (work.length > 0) await work.splice(this.random.below(work.length), 1)[0]!();
    }
    const all = [parent.handle, signer, hmac, sealed, open, policy.handle, salted.handle];
    for (const handle of [...all, audit.handle]) await this.flush(handle);
    this.rounds++;
  }

  async #start(options?: SessionOptions): Promise<Session> {
    for (;;) {
      try {
        return await this.startSession(options);
      } catch (error) {
        if (!(error instanceof CommandError) || error.result.code !== NO_PLACE) throw error;
        await pause(PLACE_MS);
      }
    }
  }

  async #makeSigner(unique: string): Promise<number> {
    const template = idevidTemplate("ECC P-256");
    return await primary(this, {
      ...{ ...template, authPolicy: EMPTY, objectAttributes: SIGNS },
      unique: { ecc: { x: text(unique), y: EMPTY } },
    });
  }

  async #makeHmacKey(key: Uint8Array): Promise<number> {
    const { objectHandle } = await this.run(TPM2_CreatePrimary, {
      primaryHandle: TPM_RH.OWNER,
      inSensitive: { userAuth: EMPTY, data: key },
      inPublic: {
        ...{ type: TPM_ALG.KEYEDHASH, nameAlg: TPM_ALG.SHA256, authPolicy: EMPTY },
        objectAttributes: TPMA_OBJECT.of("fixedTPM", "fixedParent", "userWithAuth", "sign"),
        parameters: {
          keyedHashDetail: {
            scheme: { scheme: TPM_ALG.HMAC, details: { hmac: { hashAlg: TPM_ALG.SHA256 } } },
          },
        },
        unique: { keyedHash: EMPTY },
      },
      ...{ outsideInfo: EMPTY, creationPCR: [] },
    });
    return objectHandle;
  }

  /** What the policy comes to that allows who knows the auth value to unseal. */
  async #wantUnseal({ handle: policySession }: Session): Promise<Uint8Array> {
    await this.run(TPM2_PolicyCommandCode, { policySession, code: TPM_CC.Unseal });
    await this.run(TPM2_PolicyAuthValue, { policySession });
    return (await this.run(TPM2_PolicyGetDigest, { policySession })).policyDigest;
  }

  async #sign(keyHandle: number, number: number): Promise<void> {
    const digest = createHash("sha256").update(`message ${number}`).digest();
    const { signature } = await this.run(TPM2_Sign, {
      ...{ keyHandle, digest, inScheme: NO_SCHEME, validation: NO_TICKET },
    });
    await this.run(TPM2_VerifySignature, { keyHandle, digest, signature });
    digest[0]! ^= 1;
    await assert.rejects(this.run(TPM2_VerifySignature, { keyHandle, digest, signature }));
  }

  async #hmac(handle: number, key: Uint8Array, number: number): Promise<void> {
    const buffer = text(`${number} times`);
    const { outHMAC } = await this.run(TPM2_HMAC, { handle, buffer, hashAlg: TPM_ALG.SHA256 });
    assert.equal(hex(outHMAC), createHmac("sha256", key).update(buffer).digest("hex"));
  }

  async #unsealByPolicy(itemHandle: number, policy: Session, secret: string): Promise<void> {
    const use = policy.use({ auth: "item", policyWants: "auth value", encrypt: true });
    const { outData } = await this.run(TPM2_Unseal, { itemHandle }, use);
    assert.equal(hex(outData), hex(text(secret)));
    await this.#wantUnseal(policy); // a policy is used up with its command
  }

  async #unsealEncrypted(itemHandle: number, session: Session, secret: string): Promise<void> {
    const use = session.use({ auth: "open", encrypt: true });
    const { outData } = await this.run(TPM2_Unseal, { itemHandle }, use);
    assert.equal(hex(outData), hex(text(secret)));
  }

  async #audit(session: Session): Promise<void> {
    const { randomBytes } = await this.run(
      TPM2_GetRandom,
      { bytesRequested: 12 },
      session.use({ audit: true, encrypt: false }),
    );
    assert.equal(randomBytes.length, 12);
    const { auditInfo } = await this.run(TPM2_GetSessionAuditDigest, {
      ...{ privacyAdminHandle: TPM_RH.ENDORSEMENT, signHandle: TPM_RH.NULL },
      ...{ sessionHandle: session.handle, qualifyingData: EMPTY, inScheme: NO_SCHEME },
    });
    assert.notEqual(auditInfo, null);
  }

  async #sequences(handle: number, key: Uint8Array): Promise<void> {
    const start = { auth: EMPTY, hashAlg: TPM_ALG.SHA256 };
    const hash = (await this.run(TPM2_HashSequenceStart, start)).sequenceHandle;
    const hmac = (await this.run(TPM2_HMAC_Start, { handle, ...start })).sequenceHandle;
    const buffer = this.random.bytes(100);
    for (const sequenceHandle of [hash, hmac, hmac, hash]) {
      await this.run(TPM2_SequenceUpdate, { sequenceHandle, buffer });
    }
    const complete = async (sequenceHandle: number) => {
      const end = { sequenceHandle, buffer, hierarchy: TPM_RH.NULL };
      return hex((await this.run(TPM2_SequenceComplete, end)).result);
    };
    const whole = Uint8Array.of(...buffer, ...buffer, ...buffer);
    assert.equal(await complete(hmac), createHmac("sha256", key).update(whole).digest("hex"));
    assert.equal(await complete(hash), createHash("sha256").update(whole).digest("hex"));
  }

  close(): void {
    this.port[Symbol.dispose]();
  }
}

const SIGNS = TPMA_OBJECT.of(
  ...["fixedTPM", "fixedParent", "sensitiveDataOrigin", "userWithAuth", "sign"] as const,
);

if (import.meta.main) {
  const [path, seed, clients] = [Deno.args[0]!, Number(Deno.args[1]), Number(Deno.args[2])];
  await Promise.all(Array.from({ length: clients }, async (_, number) => {
    const client = await CrowdClient.connect({ transport: "unix", path }, seed + number);
    for (;;) {
      await client.round();
      if (number === 0 && client.rounds === 1) console.log("at work");
    }
  }));
}

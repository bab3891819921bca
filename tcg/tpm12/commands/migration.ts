// Keys that go to other TPMs (Part 3, 11).

import { secret } from "../../kernel/bytes.ts";
import { TPM_CMK_DELEGATE } from "../attributes.ts";
import { command } from "../command.ts";
import { TPM_MIGRATE_SCHEME } from "../constants.ts";
import { TPM_KEY_HANDLE } from "../handle_types.ts";
import { TPM_KEY, TPM_PUBKEY } from "../structures/keys.ts";
import { TPM_CMK_AUTH, TPM_MIGRATIONKEYAUTH, TPM_MSA_COMPOSITE } from "../structures/migration.ts";
import { buffer, holding, TPM_DIGEST, TPM_ENCAUTH, TPM_HMAC } from "../types.ts";

export const TPM_CreateMigrationBlob = command("CreateMigrationBlob", {
  section: "11.1",
  handles: { parentHandle: TPM_KEY_HANDLE },
  parameters: {
    migrationType: TPM_MIGRATE_SCHEME,
    migrationKeyAuth: TPM_MIGRATIONKEYAUTH,
    encData: secret(buffer()),
  },
  response: { random: secret(buffer()), outData: secret(buffer()) },
  authorizations: { parentAuth: "parentHandle", entityAuth: "encData" },
  optional: 1,
});

export const TPM_ConvertMigrationBlob = command("ConvertMigrationBlob", {
  section: "11.2",
  handles: { parentHandle: TPM_KEY_HANDLE },
  parameters: { inData: secret(buffer()), random: secret(buffer()) },
  response: { outData: secret(buffer()) },
  authorizations: { parentAuth: "parentHandle" },
  optional: 1,
});

export const TPM_AuthorizeMigrationKey = command("AuthorizeMigrationKey", {
  section: "11.3",
  parameters: { migrationScheme: TPM_MIGRATE_SCHEME, migrationKey: TPM_PUBKEY },
  response: { outData: TPM_MIGRATIONKEYAUTH },
  authorizations: { ownerAuth: "owner" },
});

export const TPM_MigrateKey = command("MigrateKey", {
  section: "11.4",
  handles: { maKeyHandle: TPM_KEY_HANDLE },
  parameters: { pubKey: TPM_PUBKEY, inData: secret(buffer()) },
  response: { outData: secret(buffer()) },
  authorizations: { keyAuth: "maKeyHandle" },
  optional: 1,
});

export const TPM_CMK_SetRestrictions = command("CMK_SetRestrictions", {
  section: "11.5",
  parameters: { restriction: TPM_CMK_DELEGATE },
  authorizations: { ownerAuth: "owner" },
});

export const TPM_CMK_ApproveMA = command("CMK_ApproveMA", {
  section: "11.6",
  parameters: { migrationAuthorityDigest: TPM_DIGEST },
  response: { outData: TPM_HMAC },
  authorizations: { ownerAuth: "owner" },
});

export const TPM_CMK_CreateKey = command("CMK_CreateKey", {
  section: "11.7",
  handles: { parentHandle: TPM_KEY_HANDLE },
  parameters: {
    dataUsageAuth: TPM_ENCAUTH,
    keyInfo: TPM_KEY,
    migrationAuthorityApproval: TPM_HMAC,
    migrationAuthorityDigest: TPM_DIGEST,
  },
  response: { wrappedKey: TPM_KEY },
  authorizations: { pubAuth: "parentHandle" },
});

export const TPM_CMK_CreateTicket = command("CMK_CreateTicket", {
  section: "11.8",
  parameters: { verificationKey: TPM_PUBKEY, signedData: TPM_DIGEST, signatureValue: buffer() },
  response: { sigTicket: TPM_HMAC },
  authorizations: { ownerAuth: "owner" },
});

export const TPM_CMK_CreateBlob = command("CMK_CreateBlob", {
  section: "11.9",
  handles: { parentHandle: TPM_KEY_HANDLE },
  parameters: {
    migrationType: TPM_MIGRATE_SCHEME,
    migrationKeyAuth: TPM_MIGRATIONKEYAUTH,
    pubSourceKeyDigest: TPM_DIGEST,
    msaList: holding(TPM_MSA_COMPOSITE),
    restrictTicket: holding(TPM_CMK_AUTH),
    sigTicket: holding(TPM_HMAC),
    encData: secret(buffer()),
  },
  response: { random: secret(buffer()), outData: secret(buffer()) },
  authorizations: { parentAuth: "parentHandle" },
});

export const TPM_CMK_ConvertMigration = command("CMK_ConvertMigration", {
  section: "11.10",
  handles: { parentHandle: TPM_KEY_HANDLE },
  parameters: {
    restrictTicket: TPM_CMK_AUTH,
    sigTicket: TPM_HMAC,
    migratedKey: TPM_KEY,
    msaList: holding(TPM_MSA_COMPOSITE),
    random: secret(buffer()),
  },
  response: { outData: secret(buffer()) },
  authorizations: { parentAuth: "parentHandle" },
});

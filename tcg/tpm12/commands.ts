// All commands, by their ordinals. Whoever wants one by name imports it from its chapter in
// commands/.

import type { AnyDeclaration } from "./command.ts";
import * as auditing from "./commands/auditing.ts";
import * as authorization from "./commands/authorization.ts";
import * as capabilities from "./commands/capabilities.ts";
import * as changingAuth from "./commands/changing_auth.ts";
import * as counters from "./commands/counters.ts";
import * as cryptography from "./commands/cryptography.ts";
import * as daa from "./commands/daa.ts";
import * as delegation from "./commands/delegation.ts";
import * as deprecated from "./commands/deprecated.ts";
import * as endorsement from "./commands/endorsement.ts";
import * as identity from "./commands/identity.ts";
import * as maintenance from "./commands/maintenance.ts";
import * as management from "./commands/management.ts";
import * as migration from "./commands/migration.ts";
import * as nv from "./commands/nv.ts";
import * as optIn from "./commands/opt_in.ts";
import * as ownership from "./commands/ownership.ts";
import * as pcrs from "./commands/pcrs.ts";
import * as sessions from "./commands/sessions.ts";
import * as startup from "./commands/startup.ts";
import * as storage from "./commands/storage.ts";
import * as testing from "./commands/testing.ts";
import * as ticks from "./commands/ticks.ts";
import * as transport from "./commands/transport.ts";

const CHAPTERS: readonly Readonly<Record<string, AnyDeclaration>>[] = [
  startup,
  testing,
  optIn,
  ownership,
  capabilities,
  auditing,
  management,
  storage,
  migration,
  maintenance,
  cryptography,
  endorsement,
  identity,
  pcrs,
  changingAuth,
  authorization,
  delegation,
  nv,
  sessions,
  ticks,
  transport,
  counters,
  daa,
  deprecated,
];

/** Each command, chapter by chapter. */
export const COMMANDS: readonly AnyDeclaration[] = CHAPTERS.flatMap((chapter) =>
  Object.values(chapter)
);

const byCode = new Map(COMMANDS.map((command) => [command.code, command]));

/** The command with this ordinal; undefined for one that is not known. */
export function commandByCode(code: number): AnyDeclaration | undefined {
  return byCode.get(code);
}

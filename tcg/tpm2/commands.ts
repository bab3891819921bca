// All commands, by their codes. Whoever wants one by name imports it from its chapter in commands/.

import type { AnyDeclaration } from "./command.ts";
import * as asymmetric from "./commands/asymmetric.ts";
import * as attestation from "./commands/attestation.ts";
import * as audit from "./commands/audit.ts";
import * as capabilities from "./commands/capabilities.ts";
import * as clocks from "./commands/clocks.ts";
import * as contexts from "./commands/contexts.ts";
import * as dictionaryAttack from "./commands/dictionary_attack.ts";
import * as duplication from "./commands/duplication.ts";
import * as ephemeral from "./commands/ephemeral.ts";
import * as fieldUpgrade from "./commands/field_upgrade.ts";
import * as hierarchies from "./commands/hierarchies.ts";
import * as management from "./commands/management.ts";
import * as nv from "./commands/nv.ts";
import * as objects from "./commands/objects.ts";
import * as pcrs from "./commands/pcrs.ts";
import * as policies from "./commands/policies.ts";
import * as random from "./commands/random.ts";
import * as sequences from "./commands/sequences.ts";
import * as sessions from "./commands/sessions.ts";
import * as signing from "./commands/signing.ts";
import * as startup from "./commands/startup.ts";
import * as symmetric from "./commands/symmetric.ts";
import * as testing from "./commands/testing.ts";
import * as timers from "./commands/timers.ts";
import * as vendor from "./commands/vendor.ts";

const CHAPTERS: readonly Readonly<Record<string, AnyDeclaration>>[] = [
  startup,
  testing,
  sessions,
  objects,
  duplication,
  asymmetric,
  symmetric,
  random,
  sequences,
  attestation,
  ephemeral,
  signing,
  audit,
  pcrs,
  policies,
  hierarchies,
  dictionaryAttack,
  management,
  fieldUpgrade,
  contexts,
  clocks,
  capabilities,
  nv,
  timers,
  vendor,
];

/** Each command, chapter by chapter. */
export const COMMANDS: readonly AnyDeclaration[] = CHAPTERS.flatMap((chapter) =>
  Object.values(chapter)
);

const byCode = new Map(COMMANDS.map((command) => [command.code, command]));

/** The command with this code; undefined for one that is not known. */
export function commandByCode(code: number): AnyDeclaration | undefined {
  return byCode.get(code);
}

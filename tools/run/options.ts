// The words of `swtpm run` and `swtpm start` as values. Options end where COMMAND begins; those that
// `swtpm socket` has, too, mean the same.
import {
  keyConfig,
  localityPolicy,
  logConfig,
  pcapConfig,
  profileConfig,
  stateConfig,
} from "../../cli/configuration.ts";
import { getopt } from "../../cli/getopt.ts";
import { Line, type Surroundings } from "../../cli/line.ts";
import type { Tool } from "../../cli/programs.ts";
import { toolOptions } from "../../cli/tool_options.ts";
import { UsageError } from "../../cli/usage_error.ts";
import type { DaemonConfig } from "../../daemon/config.ts";
import type { LogConfig } from "../../daemon/log.ts";

export type Program = Extract<Tool, "run" | "start">;

/** What kind of TPM is wanted, and how it is reached. */
export interface TpmOptions {
  /** Undefined: in memory. */
  state: DaemonConfig["state"];
  tpm2: boolean;
  key: DaemonConfig["key"];
  migrationKey: DaemonConfig["migrationKey"];
  profile: DaemonConfig["profile"];
  policy: DaemonConfig["policy"];
  pcap: DaemonConfig["pcap"];
  log: LogConfig | undefined;
  libtpms: string | undefined;
  /** TCP ports in place of Unix sockets. */
  tcp: boolean;
}

export interface Wanted {
  tpm: TpmOptions;
  json: boolean;
  keepOnFailure: boolean;
  githubEnv: boolean;
  /** COMMAND and its arguments. */
  command: readonly string[];
}

/** Reads the words behind the program's name; "help" when its page is asked for. */
export function readWords(
  program: Program,
  words: readonly string[],
  surroundings: Surroundings,
): Wanted | "help" {
  const line = new Line(surroundings);
  const command: string[] = [];
  for (const step of getopt(words, toolOptions(program), { program, operandEnds: true })) {
    if (step.kind === "error") throw step.error;
    if (step.kind === "operand") command.push(step.word);
    else if (step.name === "help") return "help";
    else line.set(step.name, step.argument);
  }
  return {
    tpm: tpmOptions(line),
    json: line.has("json"),
    keepOnFailure: line.has("keep-on-failure"),
    githubEnv: line.has("github-env"),
    command,
  };
}

function tpmOptions(line: Line): TpmOptions {
  if (line.has("tpm2") && line.has("tpm12")) {
    throw new UsageError("--tpm2 and --tpm12 are for one TPM each: give one of them");
  }
  return {
    // TPM_PATH is not looked at: what a test leaves behind should not depend on a variable.
    state: line.has("tpmstate") ? stateConfig(line) : undefined,
    tpm2: !line.has("tpm12"),
    key: keyConfig(line, "key"),
    migrationKey: keyConfig(line, "migration-key"),
    profile: profileConfig(line),
    policy: localityPolicy(line),
    pcap: pcapConfig(line),
    log: logConfig(line),
    libtpms: line.text("libtpms") ?? line.surroundings.variable("SWTPM_LIBTPMS"),
    tcp: line.has("tcp"),
  };
}

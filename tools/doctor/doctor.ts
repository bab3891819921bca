// `swtpm doctor`: what this machine offers to a TPM, what stands in its way, and what to do about it.
// Changes nothing; what it looks at stands beside this file.
import { libtpmsChoice } from "../../cli/configuration.ts";
import type { Surroundings } from "../../cli/line.ts";
import { pageText } from "../../cli/page.ts";
import { readToolLine } from "../../cli/tool_line.ts";
import { print } from "../../daemon/output/output.ts";
import type { System } from "../../daemon/system.ts";
import manifest from "../../deno.json" with { type: "json" };
import { embeddedLibraries } from "../../ffi/embedded.ts";
import { Machine } from "../../ffi/machine.ts";
import { type Check, findAll, type Finding, ok, overall } from "./finding.ts";
import { doctorPage } from "./help.ts";
import { kernelChecks } from "./kernel.ts";
import { librariesFindings } from "./libraries.ts";
import { limitsChecks } from "./limits.ts";
import { socketFindings } from "./sockets.ts";
import { stateDirectoryFindings } from "./state_directory.ts";
import { tctiFinding } from "./tcti.ts";
import { trialFinding } from "./trial.ts";

/** Columns before the text: verdict, what was looked at. */
const VERDICT_WIDTH = 6;
const CHECK_WIDTH = 14;

/** Looks at everything and prints what was found; returns the exit code. */
export async function doctor(
  system: System,
  surroundings: Surroundings,
  words: readonly string[],
): Promise<number> {
  const read = readToolLine("doctor", words, surroundings, "any");
  if (read === "help") {
    print(system, pageText(doctorPage()));
    return 0;
  }
  const { line, operands: directories } = read;
  const choice = libtpmsChoice(line);
  const machine = new Machine(system.libc);
  const find = (checks: readonly Check[]) => findAll(system, checks);
  const program = await find([{ check: "swtpm", find: () => programFinding(system) }]);
  const libraries = await find([
    { check: "libtpms", find: () => librariesFindings(system, choice) },
  ]);
  const findings = [
    ...program,
    ...libraries,
    ...await find(limitsChecks(system)),
    ...await find(kernelChecks(system, machine)),
    ...await find([{ check: "sockets", find: () => socketFindings(system, machine) }]),
    ...await find([{ check: "TCTI", find: tctiFinding }]),
    ...(overall(libraries) === "fail" ? [] : [await trialFinding(choice)]),
    ...await find(directories.map((path) => ({
      check: "state",
      find: () => stateDirectoryFindings(system, machine, path),
    }))),
  ];
  const verdict = overall(findings);
  print(system, line.has("json") ? `${JSON.stringify({ verdict, findings })}\n` : page(findings));
  return verdict === "fail" ? 1 : 0;
}

function programFinding(system: System): Finding {
  const names = embeddedLibraries(system.files).map(({ name, version }) => `${name} ${version}`);
  const inside = [...new Set(names)];
  const libraries = inside.length === 0 ? "no libtpms inside" : `with ${inside.join(", ")} inside`;
  return ok("swtpm", `${manifest.version}, ${libraries}`);
}

function page(findings: readonly Finding[]): string {
  return findings.map(({ check, verdict, text, remedy }) => {
    const line = `${verdict.padEnd(VERDICT_WIDTH)}${check.padEnd(CHECK_WIDTH)}${text}\n`;
    return remedy === undefined
      ? line
      : `${line}${" ".repeat(VERDICT_WIDTH + CHECK_WIDTH)}-> ${remedy}\n`;
  }).join("");
}

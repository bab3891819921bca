// Runs the test suites of real clients, each part with a TPM of its own, and says which tests ended
// otherwise than `expected.ts` has it. Takes minutes to hours, so no part of the project's own tests.

import { join } from "node:path";
import { parseArgs } from "node:util";
import { inLanes } from "../vm/lanes.ts";
import { checkoutPath } from "../support/programs.ts";
import { CANONICAL_GO_TPM2 } from "./canonical_go_tpm2.ts";
import { expectedOf } from "./expected.ts";
import { GOOGLE_GO_TPM } from "./google_go_tpm.ts";
import { IBM_TSS } from "./ibm_tss.ts";
import { KERNEL_SPACES } from "./kernel_spaces.ts";
import { Sources } from "./sources.ts";
import { type Part, type Result, type Suite, type Verdict, verdictOf } from "./suite.ts";
import { runWith, TPM_KINDS, type TpmKind } from "./tpms.ts";
import { TPM2_ABRMD } from "./tpm2_abrmd.ts";
import { TPM2_OPENSSL } from "./tpm2_openssl.ts";
import { TPM2_PKCS11 } from "./tpm2_pkcs11.ts";
import { TPM2_TOOLS } from "./tpm2_tools.ts";
import { TPM2_TSS } from "./tpm2_tss.ts";
import { TSS_JS } from "./tss_js.ts";

const SUITES: readonly Suite[] = [
  TPM2_TOOLS,
  TPM2_ABRMD,
  KERNEL_SPACES,
  CANONICAL_GO_TPM2,
  GOOGLE_GO_TPM,
  TSS_JS,
  TPM2_TSS,
  IBM_TSS,
  TPM2_OPENSSL,
  TPM2_PKCS11,
];

const USAGE = `Usage: deno task suites [OPTION...] [SUITE[/PART]...]
Runs suites (all, or those named) and compares test by test with what is expected.
Suites: ${SUITES.map(({ name }) => name).join(", ")}

  --tpm KIND     managed, managed-tcp, bare, mssim: this program's addresses;
                 c, c-bare: the C program behind tpm2-abrmd, and alone
                 (default: the suite's own)
  --sources DIR  has source trees that need not be fetched, called as the suites
                 or as an error message says
  --logs DIR     where the parts' output is kept (default: .cache/suites/logs)
  --jobs N       how many parts run at the same time (default: 2)
  --all          print each test, not only those that ended unexpectedly
`;

interface Options {
  readonly sources: Sources;
  readonly logs: string;
  readonly jobs: number;
  readonly all: boolean;
  readonly names: readonly string[];
}

/** Runs what is named of a suite; returns how many tests ended unexpectedly. */
async function runSuite(suite: Suite, tpm: TpmKind, options: Options): Promise<number> {
  const { names } = options;
  const isMeant = ({ name }: Part) =>
    names.length === 0 ||
    names.some((each) => each === suite.name || each === `${suite.name}/${name}`);
  const parts = (await suite.parts(options.sources, tpm)).filter(isMeant);
  const results: Result[] = [];
  const logs = join(options.logs, `${suite.name}-${tpm}`);
  await Deno.mkdir(logs, { recursive: true });
  const begin = performance.now();
  await inLanes(
    suite.oneAtATime ? 1 : options.jobs,
    parts.map((part) => async () => {
      const ended = await endOf(part, tpm, join(logs, `${part.name}.log`));
      results.push(...ended);
      if (options.all) {
        for (const { name, verdict } of ended) {
          console.log(`${verdict}  ${name}`);
        }
      }
    }),
  );
  const seconds = ((performance.now() - begin) / 1000).toFixed(0);
  return report(suite, tpm, results, `${seconds} s`);
}

/** The results of a part; one that did not end, or said nothing, has failed. */
async function endOf(part: Part, tpm: TpmKind, log: string): Promise<Result[]> {
  const failed: Result[] = [{ name: part.name, verdict: "fail" }];
  try {
    const outcome = await runWith(tpm, part);
    await Deno.writeTextFile(log, `${outcome.stdout}\n${outcome.stderr}`);
    if (part.results === undefined) return [{ name: part.name, verdict: verdictOf(outcome) }];
    const results = part.results(outcome);
    return results.length > 0 ? results : failed;
  } catch (error) {
    await Deno.writeTextFile(log, `${error instanceof Error ? error.message : error}\n`);
    return failed;
  }
}

function report(suite: Suite, tpm: TpmKind, results: readonly Result[], took: string): number {
  const expected = expectedOf(suite.name, tpm);
  const count = (verdict: Verdict) => results.filter((each) => each.verdict === verdict).length;
  const counts = `${count("pass")} p, ${count("fail")} f, ${count("skip")} s`;
  let unexpected = 0;
  console.log(`${suite.name}, ${tpm}: ${counts} of ${results.length}, ${took}`);
  for (const { name, verdict } of [...results].sort((a, b) => a.name < b.name ? -1 : 1)) {
    const { verdict: wanted, reason } = expected.get(name) ?? { verdict: "pass", reason: "" };
    if (verdict === wanted) {
      if (verdict !== "pass") console.log(`  ${verdict}  ${name}: ${reason}`);
      continue;
    }
    unexpected++;
    console.log(`  UNEXPECTED  ${name}: ${verdict}, not ${wanted} ${reason}`.trimEnd());
  }
  return unexpected;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...Deno.args],
    allowPositionals: true,
    options: {
      "tpm": { type: "string" },
      "sources": { type: "string" },
      "logs": { type: "string" },
      "jobs": { type: "string" },
      "all": { type: "boolean" },
      "help": { type: "boolean" },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const tpm = TPM_KINDS.find((kind) => kind === values.tpm);
  if (values.tpm !== undefined && tpm === undefined) {
    throw new Error(`there is no TPM "${values.tpm}": ${TPM_KINDS.join(", ")}`);
  }
  const options: Options = {
    sources: new Sources(values.sources),
    logs: values.logs ?? checkoutPath(".cache", "suites", "logs"),
    jobs: Number(values.jobs ?? 2),
    all: values.all ?? false,
    names: positionals,
  };
  const suites = SUITES.filter(({ name }) =>
    positionals.length === 0 || positionals.some((each) => each.split("/")[0] === name)
  );
  if (suites.length === 0) throw new Error(`there is no suite "${positionals.join('", "')}"`);
  let unexpected = 0;
  for (const suite of suites) {
    const kind = tpm ?? suite.tpms[0]!;
    if (suite.tpms.includes(kind)) unexpected += await runSuite(suite, kind, options);
    else console.log(`${suite.name}, ${kind}: cannot be run so`);
  }
  return unexpected === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());

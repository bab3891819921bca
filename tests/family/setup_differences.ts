// What swtpm_setup does differently on purpose. Each reason is the key of its paragraph in
// COMPATIBILITY.md, or what an older version lacks. Pure data.

import type { SetupShape } from "./setup_shape.ts";

export interface SetupDifference {
  readonly reason: string;
  /** The version of the C program from which on it does the same. */
  readonly until?: string;
  readonly covers: (words: string, c: SetupShape, ours: SetupShape) => boolean;
}

/** Both refuse, and leave the same. */
function bothRefuse(c: SetupShape, ours: SetupShape): boolean {
  return c.code === 1 && ours.code === 1 && ours.files.length === 0 && ours.stderr.length > 0;
}

/** What each says, with the others left out. */
function says(shape: SetupShape, text: RegExp): boolean {
  return shape.code === 1 && text.test(shape.stderr.join("\n"));
}

export const SETUP_DIFFERENCES: readonly SetupDifference[] = [
  {
    reason: "before 0.9 the version's exit code is 1",
    until: "0.9",
    covers: (words, c, ours) =>
      words.includes("--ver") && c.code === 1 && ours.code === 0 &&
      c.stdout.join() === ours.stdout.join(),
  },
  {
    reason: "0.7.1 takes options of a TPM 2 for a TPM 1.2",
    until: "0.9",
    covers: (_words, c, ours) => c.code === 0 && says(ours, /^--\S+ requires --tpm2\.$/),
  },
  {
    reason: "0.7.1 does not look at what the emulator says",
    until: "0.8",
    covers: (words, c, ours) =>
      words.includes("/bin/false") && says(c, /does not support/) && says(ours, /^Failed to run/),
  },
  {
    reason: "0.7.1 does not read rsa_keysize",
    until: "0.8",
    covers: (words, c, ours) =>
      words.includes("large.conf") && c.code === 0 && ours.code === 0 &&
        c.stdout.join().replace(
            "RSA 2048 EK with handle 0x81010001",
            "RSA 3072 EK with handle 0x8101001c",
          ) ===
          ours.stdout.join() || words.includes("small.conf") && c.code === 0 && ours.code === 1,
  },
  {
    reason: "0.7.1 has no profiles",
    until: "0.10",
    covers: (words, c) => words.includes("--profile-") && says(c, /unrecognized option/),
  },
  {
    reason: "[setup-verbs]",
    covers: (words, c, ours) => {
      const features = (shape: SetupShape) => /\[ (.*?) \]/.exec(shape.stdout.join())?.[1] ?? "";
      return words.includes("--print-cap") && c.code === 0 && ours.code === 0 &&
        features(c) !== "" && features(ours).startsWith(features(c));
    },
  },
  {
    reason: "[setup-profiles]",
    covers: (words, c, ours) =>
      words.includes("--print-profiles") && c.code === 1 && ours.code === 0 &&
      c.stdout.join() === ours.stdout.join(),
  },
  {
    reason: "[setup-keeps-state]",
    covers: (_words, c, ours) =>
      c.code === ours.code && c.stdout.join() === ours.stdout.join() &&
      c.stderr.join() === ours.stderr.join() && c.files.some((file) => file.endsWith(" gone")) &&
      c.files.filter((file) => !file.endsWith(" gone")).join() === ours.files.join(),
  },
  {
    reason: "[setup-words]",
    covers: (_words, c, ours) => {
      if (!bothRefuse(c, ours)) return false;
      const [theirs, own] = [[...c.stdout, ...c.stderr].join("\n"), ours.stderr.join("\n")];
      return WORDS.some(([said, answer]) => said.test(theirs) && answer.test(own));
    },
  },
  {
    reason: "before 0.11 the log's mode is 600",
    until: "0.11",
    covers: (_words, c, ours) =>
      c.code === ours.code && c.stdout.join() === ours.stdout.join() &&
      c.stderr.join() === ours.stderr.join() &&
      c.files.join().replace("log 600", "log 640") === ours.files.join(),
  },
];

/** What the C programs say, and what we say in its place. */
const WORDS: readonly (readonly [RegExp, RegExp])[] = [
  [/^Unsupported RSA key size (.*)\.$/, /^Unsupported RSA key size (.*)\.$/],
  [/^Error opening file/, /^Cannot open logfile/],
  [/^Error: (User|uid) .*/, /^Could not run as the user '.*'/],
  [/exit with status 256/, /^User root cannot access directory \S*\/nowhere\./],
  [/swtpm process terminated unexpectedly\./, /^--key: /],
  [/Failed to get 'Name' from profile/, /^Failed to get 'Name' from profile/],
  [/USAGE/, /invalid option -- '\?'$/],
];

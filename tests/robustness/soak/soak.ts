// The whole run: every arena gets its part of messages and lives, in chapters that end by turns in
// order and by SIGKILL; a few arenas at a time. What a chapter is stands in chapter.ts.

import { checkoutPath } from "../../support/programs.ts";
import { Descriptors } from "../../support/fd_passing.ts";
import { TempDir } from "../../support/temp_dir.ts";
import { type Arena, ARENAS } from "./arenas.ts";
import { chapter, epilogue, type Story } from "./chapter.ts";
import { Watcher } from "./watcher.ts";

/** How much of it. */
export interface SoakOptions {
  readonly seed: number;
  readonly messages: number;
  readonly lives: number;
  readonly minutes: number;
  /** Chapters of each arena. */
  readonly chapters: number;
  readonly arenas: readonly Arena[];
  /** Arenas at a time. */
  readonly sideBySide: number;
  /** One batch of lives in so many passes without descriptors. */
  readonly famineEvery?: number;
}

const FAMINE_EVERY = 6;

/** What an arena went through, and what went wrong if something did. */
export interface Soaked {
  readonly story: Story;
  readonly failure?: string;
}

/** Soaks all arenas. */
export async function soak(
  options: SoakOptions,
  tell: (soaked: Soaked) => void,
): Promise<readonly Soaked[]> {
  const deadline = performance.now() + options.minutes * 60_000;
  const soaked: Soaked[] = [];
  const waiting = [...options.arenas];
  const shares = waiting.reduce((sum, { share }) => sum + share, 0);
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const result = await soakArena(next, next.share / shares, options, deadline);
      soaked.push(result);
      tell(result);
    }
  };
  await Promise.all(Array.from({ length: options.sideBySide }, lane));
  return soaked;
}

async function soakArena(
  arena: Arena,
  share: number,
  options: SoakOptions,
  deadline: number,
): Promise<Soaked> {
  await using folder = new TempDir("swtpm-soak-");
  using descriptors = new Descriptors();
  using watcher = new Watcher();
  const story: Story = {
    arena,
    descriptors,
    odd: ["/dev/null", "/", checkoutPath("deno.json")].map((path) => descriptors.file(path)),
    watcher,
    stateDir: folder.path,
    seed: options.seed + ARENAS.indexOf(arena),
    deadline,
    famineEvery: options.famineEvery ?? FAMINE_EVERY,
    batches: 0,
    visits: 0,
    ledger: undefined,
    good: { answers: 0, writes: 0, slowestMs: 0 },
    kills: 0,
    orderlyEnds: 0,
    famines: 0,
    memoryKiB: { before: 0, after: 0 },
    messages: 0,
    answers: 0,
    lives: 0,
    turnedAway: 0,
  };
  const part = share / options.chapters;
  try {
    for (let n = 0; n < options.chapters; n++) {
      await chapter(story, {
        messages: Math.ceil(options.messages * part),
        lives: Math.ceil(options.lives * part),
        end: n % 2 === 0 ? "SIGKILL" : "SIGTERM",
      });
    }
    await epilogue(story);
    return { story };
  } catch (error) {
    return { story, failure: (error as Error).message };
  }
}

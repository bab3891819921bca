// The long robustness run: a million mutated messages and a hundred thousand lives of connections
// against every way in, while a good client is asked and counts. What happens is tests/robustness/'s.
//
// Usage: deno task soak [--seed N] [--messages N] [--lives N] [--minutes N] [--side-by-side N]
//        [NAME ...], which takes only the ways in whose names begin so

import { parseArgs } from "node:util";
import { type Arena, ARENAS } from "../tests/robustness/soak/arenas.ts";
import { soak, type Soaked } from "../tests/robustness/soak/soak.ts";
import { requirePinnedDeno } from "./checkout.ts";

/** The columns of the table, each with what stands there for an arena. */
const COLUMNS: readonly (readonly [title: string, of: (soaked: Soaked) => string])[] = [
  ["", ({ story }) => story.arena.name],
  ["messages", ({ story }) => String(story.messages)],
  ["connections", ({ story }) => String(story.lives)],
  ["without room", ({ story }) => String(story.turnedAway)],
  ["famines", ({ story }) => String(story.famines)],
  ["good answers", ({ story }) => String(story.good.answers)],
  ["slowest ms", ({ story }) => story.good.slowestMs.toFixed(1)],
  ["NV writes", ({ story }) => String(story.good.writes)],
  ["killed/ended", ({ story }) => `${story.kills}/${story.orderlyEnds}`],
  ["private KiB", ({ story: { memoryKiB } }) => `${memoryKiB.before} -> ${memoryKiB.after}`],
  ["", ({ failure }) => failure === undefined ? "nothing lost" : "FAILED"],
];

function row(cells: readonly string[]): string {
  const [first = "", ...rest] = cells;
  const widths = [11, 11, 12, 7, 12, 10, 9, 12, 14, 12];
  return first.padEnd(17) + rest.map((cell, n) => cell.padStart((widths[n] ?? 0) + 2)).join("");
}

function numberOf(name: string, word: string | undefined, usual: number): number {
  if (word === undefined) return usual;
  const number = Number(word);
  if (!/^\d+$/.test(word) || number < 1 || number > 0xffffffff) {
    throw new Error(`--${name} takes a number from 1 on, not "${word}"`);
  }
  return number;
}

function arenasNamed(names: readonly string[]): readonly Arena[] {
  for (const name of names) {
    if (!ARENAS.some((arena) => arena.name.startsWith(name))) {
      const known = ARENAS.map((arena) => `"${arena.name}"`).join(", ");
      throw new Error(`no way in begins with "${name}"; there are ${known}`);
    }
  }
  if (names.length === 0) return ARENAS;
  return ARENAS.filter((arena) => names.some((name) => arena.name.startsWith(name)));
}

if (import.meta.main) {
  requirePinnedDeno(import.meta.url);
  const { values, positionals } = parseArgs({
    args: [...Deno.args],
    allowPositionals: true,
    options: {
      "seed": { type: "string" },
      "messages": { type: "string" },
      "lives": { type: "string" },
      "minutes": { type: "string" },
      "side-by-side": { type: "string" },
    },
  });
  const seed = numberOf("seed", values.seed, Date.now() % 0x7fffffff);
  const begin = performance.now();
  console.log(`deno task soak --seed ${seed}`);
  console.log(row(COLUMNS.map(([title]) => title)));
  const soaked = await soak({
    seed,
    messages: numberOf("messages", values.messages, 1_000_000),
    lives: numberOf("lives", values.lives, 100_000),
    minutes: numberOf("minutes", values.minutes, 30),
    chapters: 4,
    arenas: arenasNamed(positionals),
    sideBySide: numberOf("side-by-side", values["side-by-side"], 3),
  }, (one) => {
    console.log(row(COLUMNS.map(([, of]) => of(one))));
    if (one.failure !== undefined) console.log(one.failure);
  });
  const sum = (of: (soaked: Soaked) => number) => soaked.reduce((total, one) => total + of(one), 0);
  const failures = soaked.filter(({ failure }) => failure !== undefined).length;
  console.log(
    `${sum(({ story }) => story.messages)} messages, ${
      sum(({ story }) => story.lives)
    } connections, ` +
      `${sum(({ story }) => story.good.writes)} NV writes acknowledged, ` +
      `${failures === 0 ? "nothing lost" : `${failures} ways in FAILED`}, slowest good answer ` +
      `${Math.max(...soaked.map(({ story }) => story.good.slowestMs)).toFixed(1)} ms, in ` +
      `${((performance.now() - begin) / 1000).toFixed(0)} s`,
  );
  Deno.exit(failures === 0 ? 0 : 1);
}

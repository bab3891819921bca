// The table as a picture (SVG): a bar for each figure with a target, as long as ours takes of what C
// takes, or the empty program where that is the measure. The line at 1 is the other one's.

import type { RowReport } from "./report.ts";
import { type Figure, markOf, type PeerId, type Ratio, ratioOf } from "./result.ts";

const WIDTH = 760;
const NAMES_WIDTH = 360;
const LINE_HEIGHT = 20;
const TOP = 52;
/** Ratios beyond it are cut off, and said in figures. */
const RATIO_MAX = 2;
const BAR_UNIT = (WIDTH - NAMES_WIDTH - 60) / RATIO_MAX;

/** Draws what was found, with the words that name the machine. */
export function drawTable(rows: readonly RowReport[], machine: string): string {
  const bars = rows.flatMap(({ id, findings }) =>
    (findings?.figures ?? []).flatMap((figure) => {
      const ratio = comparisonOf(figure);
      return ratio === undefined ? [] : [{ name: `${id}: ${figure.name}`, figure, ratio }];
    })
  );
  const height = TOP + bars.length * LINE_HEIGHT + 24;
  const one = NAMES_WIDTH + BAR_UNIT;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" ` +
    `font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text(8, 18, "What it takes beside the C program (or the empty program): shorter is better"),
    text(8, 36, machine, ' fill="#666666" font-size="10"'),
    ...bars.map((bar, index) => drawBar(bar, TOP + index * LINE_HEIGHT)),
    `<line x1="${one}" x2="${one}" y1="${TOP - 6}" y2="${height - 18}" stroke="#333333"/>`,
    text(one - 4, height - 6, "1"),
    "</svg>",
    "",
  ].join("\n");
}

/** Ours against the newest C program; against the floor where that is the target. */
function comparisonOf(figure: Figure): Ratio | undefined {
  const { target } = figure;
  if (target === undefined) return undefined;
  const peer: PeerId = target.kind === "ratio" && target.against.includes("floor")
    ? "floor"
    : "0.10";
  return ratioOf(figure, "ours", peer);
}

function drawBar(
  { name, figure, ratio: { ratio, peer, spread, noise } }: {
    readonly name: string;
    readonly figure: Figure;
    readonly ratio: Ratio;
  },
  y: number,
): string {
  const x = (ratio: number) => NAMES_WIDTH + Math.min(ratio, RATIO_MAX) * BAR_UNIT;
  const colour = markOf(figure) === "reached" ? "#3d8f5f" : "#c8743c";
  const middle = y + LINE_HEIGHT / 2 - 2;
  const says = `${noise ? "~" : ""}${ratio.toFixed(2)}${peer === "floor" ? " of the empty" : ""}`;
  return [
    text(8, y + 12, name),
    `<rect x="${NAMES_WIDTH}" y="${y + 1}" width="${(x(ratio) - NAMES_WIDTH).toFixed(1)}" ` +
    `height="${LINE_HEIGHT - 6}" fill="${colour}"/>`,
    `<line x1="${x(spread[0]).toFixed(1)}" x2="${x(spread[1]).toFixed(1)}" y1="${middle}" ` +
    `y2="${middle}" stroke="#000000"/>`,
    text(Math.max(x(ratio), x(spread[1])) + 4, y + 12, says),
  ].join("\n");
}

function text(x: number, y: number, words: string, attributes = ""): string {
  const escaped = words.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x.toFixed(1)}" y="${y}"${attributes}>${escaped}</text>`;
}

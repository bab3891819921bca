// Shows what rows found: one table for people, one object for programs.
// Judging is result.ts's, measuring the rows'.

import {
  type ContestantId,
  type Figure,
  type Findings,
  markOf,
  medianOf,
  p99Of,
  type PeerId,
  PEERS,
  ratioOf,
  type Target,
} from "./result.ts";

/** A row that was run: what it found, or why it found nothing. */
export interface RowReport {
  readonly id: string;
  readonly title: string;
  readonly rounds: number;
  readonly seconds: number;
  /** Load average of one minute when the row began and when it ended. */
  readonly load: readonly [number, number];
  readonly findings?: Findings;
  readonly failure?: string;
}

const OURS: readonly ContestantId[] = ["ours", "ours+libtpms-0.10"];

/**
 * The table: a line per figure, its notes below the row. `ids` are the contestants that ran. A ratio
 * stands with its lowest and highest round, and with a "~" where these do not agree on who is less.
 */
export function renderTable(rows: readonly RowReport[], ids: readonly ContestantId[]): string {
  const pairs = OURS.filter((ours) => ids.includes(ours)).flatMap((ours) =>
    PEERS.filter((peer) => ids.includes(peer)).map((peer) => ({ ours, peer }))
  );
  const header = [
    "row",
    "figure",
    ...ids.flatMap((id) => [shortName(id), "p99"]),
    ...pairs.map(({ ours, peer }) => `${shortName(ours)}/${peer}`),
    "target",
    "mark",
  ];
  const lines: string[][] = [header];
  const notes = new Map<number, string[]>();
  for (const row of rows) {
    if (row.findings === undefined) {
      lines.push([row.id, "not measured", ...header.slice(3).map(() => ""), "failed"]);
      notes.set(lines.length - 1, (row.failure ?? "").split("\n"));
      continue;
    }
    row.findings.figures.forEach((figure, index) => {
      lines.push([
        index === 0 ? row.id : "",
        `${figure.name}, ${figure.unit}`,
        ...ids.flatMap((id) => [number(medianOf(figure, id)), number(p99Of(figure, id))]),
        ...pairs.map(({ ours, peer }) => ratio(figure, ours, peer)),
        target(figure.target),
        markOf(figure) ?? "",
      ]);
    });
    notes.set(lines.length - 1, [...row.findings.notes]);
  }
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const text = lines.map((line, index) => {
    const cells = line.map((cell, column) =>
      column < 2 || column === line.length - 1
        ? cell.padEnd(widths[column]!)
        : cell.padStart(widths[column]!)
    );
    return [cells.join("  ").trimEnd(), ...(notes.get(index) ?? []).map((note) => `    ${note}`)];
  });
  return text.flat().join("\n");
}

/** The same as plain values, with every round's figures. */
export function asJson(rows: readonly RowReport[], ids: readonly ContestantId[]) {
  return rows.map(({ findings, ...row }) => ({
    ...row,
    ...(findings === undefined ? {} : {
      notes: findings.notes,
      figures: findings.figures.map((figure) => ({
        name: figure.name,
        unit: figure.unit,
        target: figure.target ?? null,
        mark: markOf(figure) ?? null,
        contestants: Object.fromEntries(
          ids.filter((id) => figure.values[id] !== undefined).map((id) => [id, {
            median: medianOf(figure, id),
            p99: p99Of(figure, id) ?? null,
            rounds: figure.values[id]!.rounds,
          }]),
        ),
        ratios: OURS.flatMap((ours) => PEERS.flatMap((peer) => ratioOf(figure, ours, peer) ?? [])),
      })),
    }),
  }));
}

function shortName(id: ContestantId): string {
  return id === "ours+libtpms-0.10" ? "ours+" : id;
}

function ratio(figure: Figure, ours: ContestantId, peer: PeerId): string {
  const found = ratioOf(figure, ours, peer);
  if (found === undefined) return "";
  const [least, most] = found.spread.map((ratio) => ratio.toFixed(2));
  const spread = least === most ? "" : ` (${least}-${most})`;
  return `${found.noise ? "~" : ""}${found.ratio.toFixed(2)}${spread}`;
}

function target(target: Target | undefined): string {
  if (target === undefined) return "";
  const least = target.kind === "ratio" && target.against.length === 1
    ? ` of ${target.against[0]}`
    : "";
  return `<= ${target.kind === "ratio" ? target.most.toFixed(2) : target.most}${least}`;
}

/** Three digits that count; whole numbers from 100 on. */
function number(value: number | undefined): string {
  if (value === undefined) return "";
  const size = Math.abs(value);
  return value.toFixed(size >= 100 || value === 0 ? 0 : size >= 10 ? 1 : 2);
}

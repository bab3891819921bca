// Versions of the C program: which ones can stand in for the two that tests name, and which of them
// came first. Finding the programs is left to peers.ts.

/**
 * The two that ours is compared with, each named after the version that was measured first: that of
 * Debian's 12th release, or any other 0.7.x, and that of the unstable suite, any 0.10.x or 0.11.x.
 */
export const PEER_NAMES = ["0.7.1", "0.10"] as const;
export type PeerName = typeof PEER_NAMES[number];

const ACCEPTED: Record<PeerName, RegExp> = {
  "0.7.1": /(?<![\d.])0\.7\.\d+\b/,
  "0.10": /(?<![\d.])0\.1[01]\.\d+\b/,
};

/** The version in what a program said, where it can stand in for `name`. */
export function versionFor(name: PeerName, said: string): string | undefined {
  return ACCEPTED[name].exec(said)?.[0];
}

/** Whether one version is another or came after it: `isSince("0.10.2", "0.11")` is false. */
export function isSince(version: string, first: string): boolean {
  const [have, wanted] = [version, first].map((text) =>
    text.split(".").map((part) => parseInt(part))
  );
  for (const [index, number] of wanted!.entries()) {
    const there = have![index] ?? 0;
    if (there !== number) return there > number;
  }
  return true;
}

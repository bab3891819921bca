// How values are told: what their version makes of handles, and whether secrets may be shown.

export interface Manner {
  readonly secrets: boolean;
  /** A handle by its meaning; `type` is that of the specification. */
  readonly handleText: (handle: number, type: string) => string;
}

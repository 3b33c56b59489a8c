/** One thing that is timed. */
export interface Case {
  readonly name: string;
  /** Does it once. @returns milliseconds */
  run(): number | Promise<number>;
  /** The ratio to the peer that it should stay within. */
  readonly aim?: number | undefined;
  /** What it may take beyond the peer, in milliseconds. */
  readonly aimExtraMs?: number | undefined;
}

/** Things that are timed by turns with what they are compared to: a peer, or a floor below which nothing can be. */
export interface Comparison {
  readonly title: string;
  readonly peer: Case;
  readonly cases: readonly Case[];
  /** How often each is timed, besides once before that does not count. */
  readonly runs: number;
}

/** What is not a time alone: a table as it is printed, with a name and a figure for each column in each row. */
export interface Figures {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly { readonly name: string; readonly cells: readonly string[] }[];
}

/** Comparisons that share what they are made on. */
export interface Suite {
  /** What `pnpm bench NAME` selects it by. */
  readonly name: string;
  readonly description: string;
  /** Makes what is needed, hands over each comparison, and clears away when told that it has been made. */
  comparisons(context: SuiteContext): AsyncIterable<Comparison | Figures>;
}

export interface SuiteContext {
  /** A directory with nothing but an empty `home` in it, gone afterwards. */
  readonly dir: string;
  /** Multiplied with each comparison's own number of runs. */
  readonly effort: number;
  /** Says something about what is measured, or why something is not. */
  readonly note: (text: string) => void;
}

export interface Timing {
  readonly minMs: number;
  readonly medianMs: number;
  readonly maxMs: number;
}

/** A line of the result. */
export interface Line extends Timing {
  readonly name: string;
  readonly runs: number;
  /** To the peer in the same round: the median of all rounds. */
  readonly ratio: number;
  /** What it takes beyond the peer in the same round: the median of all rounds. */
  readonly extraMs: number;
  /** Of the fastest runs, which other work on the machine disturbs least. */
  readonly minRatio: number;
  readonly aim?: number | undefined;
  readonly aimExtraMs?: number | undefined;
}

export interface Measured {
  readonly suite: string;
  readonly title: string;
  /** The peer first. */
  readonly lines: readonly Line[];
}

export type Result = Measured | ({ readonly suite: string } & Figures);

import type { CheckContext } from "./context.ts";

/**
 * - `ok`: as it should be
 * - `warning`: something in particular cannot be done, or not well
 * - `failed`: no VM can be made or run, or data is in danger
 * - `skipped`: it could not be found out here
 */
export type Status = "ok" | "warning" | "failed" | "skipped";

/** What mends it. */
export interface Fix {
  /** For a shell, ready to paste; left out where no command does it. */
  readonly command?: string | undefined;
  /** One sentence. */
  readonly description: string;
  /** Whether `silk doctor --fix` does it. */
  readonly automatic: boolean;
}

/** What a check found out. */
export interface Outcome {
  readonly status: Status;
  /** What was seen: one line. */
  readonly evidence: string;
  /** What it is needed for, where something is wrong: one sentence. */
  readonly why?: string | undefined;
  readonly fix?: Fix | undefined;
}

/** A check's outcome as `silk doctor --json` shows it. */
export interface Finding extends Outcome {
  /** Stable: `kvm`. */
  readonly id: string;
  readonly title: string;
  readonly group: Group;
  /** Where more about it is written. */
  readonly docs: string;
  /** What `--fix` did about it. */
  readonly repaired?: string | undefined;
  /** Why `--fix` could do nothing about it. */
  readonly repairFailed?: string | undefined;
}

/** The parts of the report, in their order. */
export const groups = ["Virtualization", "Programs", "Network", "Directories", "silk"] as const;

export type Group = (typeof groups)[number];

/** One thing that silk needs of the host. */
export interface Check {
  readonly id: string;
  readonly title: string;
  readonly group: Group;
  /** Heading of the check in the troubleshooting guide. Default: its id. */
  readonly anchor?: string | undefined;
  /** What it is where the check throws or does not come to an end. Default: `failed`. */
  readonly atWorst?: Status | undefined;
  /** Looks, and changes nothing that lasts. */
  run(context: CheckContext): Promise<Outcome>;
  /** Does what an automatic fix describes, and says what it did. */
  repair?(context: CheckContext): Promise<string>;
}

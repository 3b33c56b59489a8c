import { SilkError } from "@silkvm/core";

const damaged = {
  code: "IMAGE_INDEX_DAMAGED",
  kind: "failed" as const,
  message: "the index of images is damaged",
  hint: "Move images/images.db away and pull the images again: what is there of them is used.",
};
const full = {
  code: "DISK_FULL",
  kind: "failed" as const,
  message: "the disk under the index of images is full",
  hint: "Free some space and run the command again.",
};
const denied = {
  code: "PERMISSION_DENIED",
  kind: "denied" as const,
  message: "the index of images cannot be opened",
  hint: "Run as the user who owns it, or name another directory with --root-dir.",
};

/** SQLite's result codes, plain and extended, that mean something to a user. https://sqlite.org/rescode.html */
const sqliteErrors: Readonly<
  Record<number, { code: string; kind: SilkError["kind"]; message: string; hint?: string }>
> = {
  5: {
    code: "STORE_BUSY",
    kind: "busy",
    message: "the index of images is locked by another process",
  },
  8: denied,
  10: {
    code: "IO_ERROR",
    kind: "failed",
    message: "the disk under the index of images reported an error",
  },
  11: damaged,
  13: full,
  14: denied,
  26: damaged,
  // There was no room for the index of the WAL.
  4874: full,
};

/** Runs what asks SQLite, and tells its errors as ours. */
export function guarded<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    const errcode = (error as { errcode?: unknown }).errcode;
    const known =
      typeof errcode === "number"
        ? (sqliteErrors[errcode] ?? sqliteErrors[errcode & 0xff])
        : undefined;
    if (known === undefined) throw error;
    throw new SilkError(known.message, { ...known, cause: error });
  }
}

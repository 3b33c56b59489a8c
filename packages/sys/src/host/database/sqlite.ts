import type { DatabaseSync } from "node:sqlite";

/** How long a call waits for another connection's lock. */
export const busyTimeoutMs = 5_000;

// Primary result codes of SQLite; its extended ones have them in the low byte.
export const SQLITE_BUSY = 5;
export const SQLITE_CANTOPEN = 14;

/** Whether SQLite failed for this reason. */
export function isSqliteError(error: unknown, primaryCode: number): boolean {
  const errcode = (error as { errcode?: number } | null)?.errcode;
  return errcode !== undefined && (errcode & 0xff) === primaryCode;
}

/** Runs a function between BEGIN and COMMIT; anything that fails rolls back. */
export function runTransaction<T>(database: DatabaseSync, begin: string, run: () => T): T {
  database.exec(begin);
  try {
    const result = run();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    // After some failures (a full disk, say) SQLite has rolled back by itself.
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

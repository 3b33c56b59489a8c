import { accessSync, closeSync, constants, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { HostDatabase, HostStatement } from "@silkvm/core";
import { hasCode } from "../errors.ts";
import { busyTimeoutMs, isSqliteError, runTransaction, SQLITE_BUSY } from "./sqlite.ts";
import { Statements } from "./statements.ts";

/** Opens a database for reading and writing, and makes it, for its owner alone, where it is not there. */
export function openWritable(path: string): HostDatabase {
  createPrivately(path);
  const database = new DatabaseSync(path, {
    timeout: busyTimeoutMs,
    enableForeignKeyConstraints: true,
  });
  try {
    enterWalMode(database);
    database.exec("PRAGMA synchronous = NORMAL");
  } catch (error) {
    database.close();
    throw error;
  }
  return new WritableDatabase(database);
}

/**
 * SQLite would make the file with the mode that the umask leaves. An existing one is not opened here: closing it again
 * would take away the locks that another connection of this process has on it.
 */
function createPrivately(path: string): void {
  try {
    closeSync(openSync(path, "wx+", 0o600));
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
    accessSync(path, constants.R_OK | constants.W_OK);
  }
}

/** Of several processes that open a new database at once, SQLite turns some away without waiting its busy time-out. */
function enterWalMode(database: DatabaseSync): void {
  const deadlineMs = performance.now() + busyTimeoutMs;
  for (;;) {
    try {
      const mode = database.prepare("PRAGMA journal_mode = WAL").get()?.["journal_mode"];
      if (mode !== "wal")
        throw new Error(`the file system allows no write-ahead log (journal mode ${String(mode)})`);
      return;
    } catch (error) {
      if (!isSqliteError(error, SQLITE_BUSY) || performance.now() > deadlineMs) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
  }
}

class WritableDatabase implements HostDatabase {
  readonly #database: DatabaseSync;
  readonly #statements: Statements;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#statements = new Statements(database);
  }

  exec(sql: string): void {
    this.#database.exec(sql);
  }

  prepare(sql: string): HostStatement {
    const statement = this.#statements.get(sql);
    return {
      run: (...values) => {
        const { changes, lastInsertRowid } = statement.run(...values);
        return { changes: Number(changes), lastInsertRowid: Number(lastInsertRowid) };
      },
      get: (...values) => statement.get(...values),
      all: (...values) => statement.all(...values),
    };
  }

  transaction<T>(run: () => T, { durable = false }: { readonly durable?: boolean } = {}): T {
    if (!durable) return runTransaction(this.#database, "BEGIN IMMEDIATE", run);
    // In WAL mode FULL differs from NORMAL in one thing: the log is on the disk before the commit returns.
    this.#database.exec("PRAGMA synchronous = FULL");
    try {
      return runTransaction(this.#database, "BEGIN IMMEDIATE", run);
    } finally {
      this.#database.exec("PRAGMA synchronous = NORMAL");
    }
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

import { accessSync, constants } from "node:fs";
import type { HostDatabase, HostStatement } from "@silkvm/core";
import { connectForReading, hasMoved, isOutdated, type ReadConnection } from "./connection.ts";
import { runTransaction, SQLITE_BUSY } from "./sqlite.ts";

/** Opens a database for reading, in a way that writes nothing. */
export function openReadOnly(path: string): HostDatabase {
  accessSync(path, constants.R_OK);
  return new ReadOnlyDatabase(path);
}

/** How often a read is repeated because a writer changed the file below it. Each repeat needs a checkpoint in that very moment. */
const attempts = 20;

class ReadOnlyDatabase implements HostDatabase {
  readonly #path: string;
  #connection: ReadConnection;
  #isReading = false;

  constructor(path: string) {
    this.#path = path;
    this.#connection = connectForReading(path);
  }

  exec(sql: string): void {
    this.#read(({ database }) => database.exec(sql));
  }

  prepare(sql: string): HostStatement {
    this.#read(({ statements }) => statements.get(sql));
    return {
      run: (...values) =>
        this.#read(({ statements }) => {
          const { changes, lastInsertRowid } = statements.get(sql).run(...values);
          return { changes: Number(changes), lastInsertRowid: Number(lastInsertRowid) };
        }),
      get: (...values) => this.#read(({ statements }) => statements.get(sql).get(...values)),
      all: (...values) => this.#read(({ statements }) => statements.get(sql).all(...values)),
    };
  }

  /** The function may run more than once; only its last run counts. */
  transaction<T>(run: () => T): T {
    return this.#read(({ database }) => runTransaction(database, "BEGIN", run));
  }

  close(): void {
    if (this.#connection.database.isOpen) this.#connection.database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Runs a read on what the database holds now, and again where the file changed meanwhile. Reads inside of a read share its moment. */
  #read<T>(run: (connection: ReadConnection) => T): T {
    if (this.#isReading) return run(this.#connection);
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      this.#refresh();
      const outcome = this.#attempt(run);
      if (hasMoved(this.#path, this.#connection)) continue;
      if ("error" in outcome) throw outcome.error;
      return outcome.result;
    }
    throw Object.assign(new Error("the database changes faster than it can be read"), {
      code: "ERR_SQLITE_ERROR",
      errcode: SQLITE_BUSY,
    });
  }

  #attempt<T>(
    run: (connection: ReadConnection) => T,
  ): { readonly result: T } | { readonly error: unknown } {
    this.#isReading = true;
    try {
      return { result: run(this.#connection) };
    } catch (error) {
      return { error };
    } finally {
      this.#isReading = false;
    }
  }

  #refresh(): void {
    if (!this.#connection.database.isOpen || !isOutdated(this.#path, this.#connection)) return;
    const next = connectForReading(this.#path);
    this.#connection.database.close();
    this.#connection = next;
  }
}

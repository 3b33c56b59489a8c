import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { busyTimeoutMs, isSqliteError, SQLITE_CANTOPEN } from "./sqlite.ts";
import { Statements } from "./statements.ts";

/** A connection that writes nothing, not even the files beside the database that SQLite usually makes for readers. */
export interface ReadConnection {
  readonly database: DatabaseSync;
  readonly statements: Statements;
  /**
   * The state of the database's file that this connection takes for unchanging; undefined where it reads along with writers.
   */
  readonly frozenAt: string | undefined;
}

/** A writer's close can move the database from one kind of connection to the other in between; more than twice is no race. */
const attempts = 10;

/**
 * Opens a database in the one of two ways that fits it now:
 * - While its write-ahead log holds something, its readers need the log's index, which the writers keep in the `-shm` file:
 *   it is read, or after a crash rebuilt in memory, but not written.
 * - With no log everything is in the database's file, which is read as if it could not change. SQLite then takes no
 *   locks, so whether it did change is for the caller to see (`isOutdated`, `hasMoved`).
 */
export function connectForReading(path: string): ReadConnection {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const frozenAt = hasLog(path) ? undefined : fileState(path);
      return connect(path, frozenAt);
    } catch (error) {
      if (!isSqliteError(error, SQLITE_CANTOPEN) || attempt === attempts) throw error;
    }
  }
}

function connect(path: string, frozenAt: string | undefined): ReadConnection {
  const url = pathToFileURL(path);
  url.search = frozenAt === undefined ? "readonly_shm=1" : "immutable=1";
  const database = new DatabaseSync(url, { readOnly: true, timeout: busyTimeoutMs });
  try {
    // Nothing is read before the first statement: this one finds out what is no database.
    database.prepare("SELECT count(*) FROM sqlite_schema").get();
  } catch (error) {
    database.close();
    throw error;
  }
  return { database, statements: new Statements(database), frozenAt };
}

/** Whether what this connection would read now is no more what the database holds. */
export function isOutdated(path: string, connection: ReadConnection): boolean {
  return connection.frozenAt !== undefined && (hasLog(path) || hasMoved(path, connection));
}

/** Whether the file changed under a connection that took it for unchanging: what was read is not of one moment. */
export function hasMoved(path: string, { frozenAt }: ReadConnection): boolean {
  return frozenAt !== undefined && frozenAt !== fileState(path);
}

function hasLog(path: string): boolean {
  return (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

function fileState(path: string): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
}

import { isSilkError, SilkError, toSilkError } from "../errors.ts";
import type { Host, HostDatabase } from "../host.ts";

/** What is in a database of silk's: how messages call it, and what its tables are. */
export interface DatabaseForm {
  /** In messages, such as `the store`. */
  readonly what: string;
  /** Every change of the form, oldest first; the n-th one makes version n. A published one is never edited. */
  readonly migrations: readonly string[];
  /** What is said of a damaged one. */
  readonly damaged: { readonly code: string; readonly hint: string };
}

/**
 * Opens a database for reading and writing; makes it where there is none, and brings an older one to this version. The directory must be there. The errors of what is opened name it, and say what to
 * do.
 * @throws SilkError `STORE_TOO_NEW` where a newer silk has written it, `STORE_BUSY`, `PERMISSION_DENIED`, `DISK_FULL`, `IO_ERROR`, the code of a damaged one
 */
export function openDatabase(host: Host, path: string, form: DatabaseForm): HostDatabase {
  return opening(path, form, () => {
    const database = speaking(host.openDatabase(path, { readOnly: false }), path, form);
    return closedOnError(database, () => {
      migrate(database, path, form);
      return database;
    });
  });
}

/**
 * Opens a database for reading alone: writes nothing. Undefined where there is none yet, or one that nobody has written to.
 * @throws SilkError as {@link openDatabase}
 */
export function openDatabaseReadOnly(
  host: Host,
  path: string,
  form: DatabaseForm,
): HostDatabase | undefined {
  return opening(path, form, () => {
    let database: HostDatabase;
    try {
      database = speaking(host.openDatabase(path, { readOnly: true }), path, form);
    } catch (error) {
      if ((error as { code?: unknown }).code === "ENOENT") return undefined;
      throw error;
    }
    return closedOnError(database, () => {
      const version = databaseVersion(database);
      refuseNewer(version, path, form);
      if (version > 0) return database;
      database.close();
      return undefined;
    });
  });
}

/** The version of the form that a database has; 0 where nobody has written to it. */
export function databaseVersion(database: HostDatabase): number {
  return Number(database.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
}

function migrate(database: HostDatabase, path: string, form: DatabaseForm): void {
  const { migrations } = form;
  const version = databaseVersion(database);
  if (version === migrations.length) return;
  refuseNewer(version, path, form);
  database.transaction(
    () => {
      // Read again: another process may have migrated it since.
      for (const sql of migrations.slice(databaseVersion(database))) database.exec(sql);
      database.exec(`PRAGMA user_version = ${migrations.length}`);
    },
    { durable: true },
  );
}

function refuseNewer(version: number, path: string, { what, migrations }: DatabaseForm): void {
  const supported = migrations.length;
  if (version <= supported) return;
  throw new SilkError(
    `${what} ${path} was written by a newer silk (version ${version}, this one knows ${supported})`,
    {
      code: "STORE_TOO_NEW",
      kind: "unsupported",
      hint: "Update silk, or name another directory with --root-dir.",
      details: { path, version, supported },
    },
  );
}

function closedOnError<T>(database: HostDatabase, run: () => T): T {
  try {
    return run();
  } catch (error) {
    database.close();
    throw error;
  }
}

function opening<T>(path: string, form: DatabaseForm, open: () => T): T {
  try {
    return told(path, form, open);
  } catch (error) {
    throw isSilkError(error) ? error : toSilkError(error, `cannot open ${form.what} ${path}`);
  }
}

/** A database whose errors name it. */
function speaking(database: HostDatabase, path: string, form: DatabaseForm): HostDatabase {
  const tell = <T>(run: () => T): T => told(path, form, run);
  return {
    exec: (sql) => tell(() => database.exec(sql)),
    prepare: (sql) => {
      const statement = tell(() => database.prepare(sql));
      return {
        run: (...values) => tell(() => statement.run(...values)),
        get: (...values) => tell(() => statement.get(...values)),
        all: (...values) => tell(() => statement.all(...values)),
      };
    },
    transaction: (run, options) => tell(() => database.transaction(run, options)),
    close: () => database.close(),
    [Symbol.dispose]: () => database.close(),
  };
}

interface Meaning {
  readonly code: string;
  readonly kind: SilkError["kind"];
  readonly message: string;
  readonly hint?: string;
}

/** SQLite's result codes, plain and extended, that mean something to a user. https://sqlite.org/rescode.html */
const meanings: Readonly<Record<number, (form: DatabaseForm) => Meaning>> = {
  5: ({ what }) => ({
    code: "STORE_BUSY",
    kind: "busy",
    message: `${what} is locked by another process`,
  }),
  8: ({ what }) => denied(`${what} cannot be written`),
  10: ({ what }) => ({
    code: "IO_ERROR",
    kind: "failed",
    message: `the disk under ${what} reported an error`,
    hint: "See the kernel's log (`dmesg`).",
  }),
  11: ({ what, damaged }) => ({ ...damaged, kind: "failed", message: `${what} is damaged` }),
  13: full,
  14: ({ what }) => denied(`${what} cannot be opened`),
  26: ({ what, damaged }) => ({
    ...damaged,
    kind: "failed",
    message: `${what} is damaged: it is no database`,
  }),
  // There was no room for the index of the WAL.
  4874: full,
};

function full({ what }: DatabaseForm): Meaning {
  return {
    code: "DISK_FULL",
    kind: "failed",
    message: `the disk under ${what} is full`,
    hint: "Free some space and run the command again.",
  };
}

function denied(message: string): Meaning {
  return {
    code: "PERMISSION_DENIED",
    kind: "denied",
    message,
    hint: "Run as the user who owns it, or name another directory with --root-dir.",
  };
}

/** Turns SQLite's errors into ours, which name the database. */
function told<T>(path: string, form: DatabaseForm, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const { errcode } = error as { errcode?: unknown };
    if (typeof errcode !== "number") throw error;
    const known = (meanings[errcode] ?? meanings[errcode & 0xff])?.(form);
    if (known === undefined) throw error;
    const { message, ...more } = known;
    throw new SilkError(`${message}: ${path}`, { ...more, details: { path }, cause: error });
  }
}

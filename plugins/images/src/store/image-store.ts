import { type Host, type HostDatabase, isSilkError, SilkError, toSilkError } from "@silkvm/core";
import type { ImageRecord } from "./image-record.ts";

/** Every change of the index's form, oldest first; the n-th one makes version n. */
const migrations: readonly string[] = [
  `CREATE TABLE images (
     ref TEXT PRIMARY KEY,
     digest TEXT NOT NULL,
     record TEXT NOT NULL
   ) STRICT;
   CREATE INDEX images_by_digest ON images (digest);
   CREATE TABLE chains (chain TEXT PRIMARY KEY, blob_id TEXT NOT NULL) STRICT, WITHOUT ROWID;`,
];

/** The index of images: which names there are, and what they stand for. The only place that knows its SQL. */
export class ImageStore implements Disposable {
  readonly #database: HostDatabase;

  constructor(database: HostDatabase) {
    this.#database = database;
  }

  find(ref: string): ImageRecord | undefined {
    const row = guarded(() =>
      this.#database.prepare("SELECT record FROM images WHERE ref = ?").get(ref),
    );
    return row === undefined ? undefined : (JSON.parse(row["record"] as string) as ImageRecord);
  }

  /** Images whose digest begins so, by name. */
  findByDigest(prefix: string): readonly ImageRecord[] {
    return this.#records(
      "SELECT record FROM images WHERE substr(digest, 1, length(?1)) = ?1 ORDER BY ref",
      prefix,
    );
  }

  /** All images, by name. */
  list(): readonly ImageRecord[] {
    return this.#records("SELECT record FROM images ORDER BY ref");
  }

  /** Gives a name to an image; what had the name before has it no more. */
  put(record: ImageRecord): void {
    guarded(() =>
      this.#database.transaction(
        () =>
          this.#database
            .prepare("INSERT OR REPLACE INTO images (ref, digest, record) VALUES (?, ?, ?)")
            .run(record.ref, record.digest, JSON.stringify(record)),
        { durable: true },
      ),
    );
  }

  /** Takes names away. */
  remove(refs: readonly string[]): void {
    guarded(() =>
      this.#database.transaction(
        () => {
          for (const ref of refs)
            this.#database.prepare("DELETE FROM images WHERE ref = ?").run(ref);
        },
        { durable: true },
      ),
    );
  }

  /** The blob that a layer became on the layers below it. */
  blobOfChain(chain: string): string | undefined {
    const row = guarded(() =>
      this.#database.prepare("SELECT blob_id FROM chains WHERE chain = ?").get(chain),
    );
    return row?.["blob_id"] as string | undefined;
  }

  setBlobOfChain(chain: string, blobId: string): void {
    guarded(() =>
      this.#database.transaction(() =>
        this.#database.prepare("INSERT OR REPLACE INTO chains VALUES (?, ?)").run(chain, blobId),
      ),
    );
  }

  /** Forgets what layers became, of blobs that are gone. */
  forgetChains(blobId: string): void {
    guarded(() =>
      this.#database.transaction(() =>
        this.#database.prepare("DELETE FROM chains WHERE blob_id = ?").run(blobId),
      ),
    );
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  #records(sql: string, ...values: string[]): readonly ImageRecord[] {
    return guarded(() => this.#database.prepare(sql).all(...values)).map(
      (row) => JSON.parse(row["record"] as string) as ImageRecord,
    );
  }
}

/** Opens the index for reading and writing; makes it where there is none. */
export function openImageStore(host: Host, path: string): ImageStore {
  return opening(path, () => {
    const database = host.openDatabase(path, { readOnly: false });
    try {
      if (versionOf(database) !== migrations.length) {
        refuseNewer(database, path);
        database.transaction(
          () => {
            // Read again: another process may have migrated it since.
            for (const sql of migrations.slice(versionOf(database))) database.exec(sql);
            database.exec(`PRAGMA user_version = ${migrations.length}`);
          },
          { durable: true },
        );
      }
      return new ImageStore(database);
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

/** Opens the index for reading alone: writes nothing. Undefined where there is none yet. */
export function openImageStoreReadOnly(host: Host, path: string): ImageStore | undefined {
  return opening(path, () => {
    let database: HostDatabase;
    try {
      database = host.openDatabase(path, { readOnly: true });
    } catch (error) {
      if ((error as { code?: unknown }).code === "ENOENT") return undefined;
      throw error;
    }
    try {
      refuseNewer(database, path);
      if (versionOf(database) > 0) return new ImageStore(database);
      database.close();
      return undefined;
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

function versionOf(database: HostDatabase): number {
  return Number(database.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
}

function refuseNewer(database: HostDatabase, path: string): void {
  const version = versionOf(database);
  if (version <= migrations.length) return;
  throw new SilkError(
    `the index of images ${path} was written by a newer silk (version ${version}, this one knows ${migrations.length})`,
    {
      code: "STORE_TOO_NEW",
      kind: "unsupported",
      hint: "Update silk, or name another directory with --root-dir.",
      details: { path, version, supported: migrations.length },
    },
  );
}

function opening<T>(path: string, open: () => T): T {
  try {
    return guarded(open);
  } catch (error) {
    throw isSilkError(error)
      ? error
      : toSilkError(error, `cannot open the index of images ${path}`);
  }
}

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

function guarded<T>(run: () => T): T {
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

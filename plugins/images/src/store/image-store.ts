import { type Host, type HostDatabase, isSilkError, SilkError, toSilkError } from "@silkvm/core";
import type { KernelRecord } from "../kit/kernel-record.ts";
import type { ImageRecord } from "./image-record.ts";
import { guarded } from "./sqlite-errors.ts";

/** Every change of the index's form, oldest first; the n-th one makes version n. */
const migrations: readonly string[] = [
  `CREATE TABLE images (
     ref TEXT PRIMARY KEY,
     digest TEXT NOT NULL,
     record TEXT NOT NULL
   ) STRICT;
   CREATE INDEX images_by_digest ON images (digest);
   CREATE TABLE chains (chain TEXT PRIMARY KEY, blob_id TEXT NOT NULL) STRICT, WITHOUT ROWID;`,
  `CREATE TABLE kernels (
     name TEXT PRIMARY KEY,
     imported_at TEXT NOT NULL,
     record TEXT NOT NULL
   ) STRICT;`,
];

const kernelsVersion = 2;

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

  /** Kernels that were imported, the last one first. */
  listKernels(): readonly KernelRecord[] {
    return guarded(() => {
      // An index that is only read is not migrated.
      if (versionOf(this.#database) < kernelsVersion) return [];
      return this.#database
        .prepare("SELECT record FROM kernels ORDER BY imported_at DESC, name")
        .all();
    }).map((row) => JSON.parse(row["record"] as string) as KernelRecord);
  }

  /** Gives a name to a kernel; what had the name before has it no more. */
  putKernel(record: KernelRecord): void {
    guarded(() =>
      this.#database.transaction(
        () =>
          this.#database
            .prepare("INSERT OR REPLACE INTO kernels (name, imported_at, record) VALUES (?, ?, ?)")
            .run(record.name, record.importedAt, JSON.stringify(record)),
        { durable: true },
      ),
    );
  }

  /** Takes a kernel's name away. */
  removeKernel(name: string): void {
    guarded(() =>
      this.#database.transaction(
        () => this.#database.prepare("DELETE FROM kernels WHERE name = ?").run(name),
        { durable: true },
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

import {
  type DatabaseForm,
  databaseVersion,
  type Host,
  type HostDatabase,
  openDatabase,
  openDatabaseReadOnly,
  type SqlValue,
} from "@silkvm/core";
import type { KernelRecord } from "../kit/kernel-record.ts";
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
  `CREATE TABLE kernels (
     name TEXT PRIMARY KEY,
     imported_at TEXT NOT NULL,
     record TEXT NOT NULL
   ) STRICT;`,
];

const kernelsVersion = 2;

const form: DatabaseForm = {
  what: "the index of images",
  migrations,
  damaged: {
    code: "IMAGE_INDEX_DAMAGED",
    hint: "Move images/images.db away and pull the images again: what is there of them is used.",
  },
};

/** The index of images: which names there are, and what they stand for. The only place that knows its SQL. */
export class ImageStore implements Disposable {
  readonly #database: HostDatabase;

  constructor(database: HostDatabase) {
    this.#database = database;
  }

  find(ref: string): ImageRecord | undefined {
    const [record] = this.#records("SELECT record FROM images WHERE ref = ?", ref);
    return record as ImageRecord | undefined;
  }

  /** Images whose digest begins so, by name. */
  findByDigest(prefix: string): readonly ImageRecord[] {
    return this.#records(
      "SELECT record FROM images WHERE substr(digest, 1, length(?1)) = ?1 ORDER BY ref",
      prefix,
    ) as readonly ImageRecord[];
  }

  /** All images, by name. */
  list(): readonly ImageRecord[] {
    return this.#records("SELECT record FROM images ORDER BY ref") as readonly ImageRecord[];
  }

  /** Gives a name to an image; what had the name before has it no more. */
  put(record: ImageRecord): void {
    this.#change("INSERT OR REPLACE INTO images (ref, digest, record) VALUES (?, ?, ?)", [
      record.ref,
      record.digest,
      JSON.stringify(record),
    ]);
  }

  /** Takes names away. */
  remove(refs: readonly string[]): void {
    this.#change("DELETE FROM images WHERE ref = ?", ...refs.map((ref) => [ref]));
  }

  /** The blob that a layer became on the layers below it. */
  blobOfChain(chain: string): string | undefined {
    const row = this.#database.prepare("SELECT blob_id FROM chains WHERE chain = ?").get(chain);
    return row?.["blob_id"] as string | undefined;
  }

  setBlobOfChain(chain: string, blobId: string): void {
    this.#change("INSERT OR REPLACE INTO chains VALUES (?, ?)", [chain, blobId]);
  }

  /** Forgets what layers became, of blobs that are gone. */
  forgetChains(blobId: string): void {
    this.#change("DELETE FROM chains WHERE blob_id = ?", [blobId]);
  }

  /** Kernels that were imported, the last one first. */
  listKernels(): readonly KernelRecord[] {
    // An index that is only read is not migrated.
    if (databaseVersion(this.#database) < kernelsVersion) return [];
    return this.#records(
      "SELECT record FROM kernels ORDER BY imported_at DESC, name",
    ) as readonly KernelRecord[];
  }

  /** Gives a name to a kernel; what had the name before has it no more. */
  putKernel(record: KernelRecord): void {
    this.#change("INSERT OR REPLACE INTO kernels (name, imported_at, record) VALUES (?, ?, ?)", [
      record.name,
      record.importedAt,
      JSON.stringify(record),
    ]);
  }

  /** Takes a kernel's name away. */
  removeKernel(name: string): void {
    this.#change("DELETE FROM kernels WHERE name = ?", [name]);
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  #records(sql: string, ...values: SqlValue[]): readonly unknown[] {
    const rows = this.#database.prepare(sql).all(...values);
    return rows.map((row) => JSON.parse(row["record"] as string) as unknown);
  }

  /** Runs a statement once for each set of values, as one change that survives a power failure. */
  #change(sql: string, ...sets: readonly SqlValue[][]): void {
    this.#database.transaction(
      () => {
        for (const values of sets) this.#database.prepare(sql).run(...values);
      },
      { durable: true },
    );
  }
}

/** Opens the index for reading and writing; makes it where there is none. */
export function openImageStore(host: Host, path: string): ImageStore {
  return new ImageStore(openDatabase(host, path, form));
}

/** Opens the index for reading alone: writes nothing. Undefined where there is none yet. */
export function openImageStoreReadOnly(host: Host, path: string): ImageStore | undefined {
  const database = openDatabaseReadOnly(host, path, form);
  return database && new ImageStore(database);
}

import {
  manifestName,
  parseManifest,
  type SnapshotFile,
  type SnapshotManifest,
} from "@silkvm/core";
import { checkDigest, damaged } from "../seal/verify-files.ts";
import { archiveInvalid } from "../tar/archive-invalid.ts";
import type { UnpackRule } from "../tar/unpack-files.ts";
import type { ArchiveKind } from "./import-snapshot.ts";

/** An archive that silk made: its manifest, which came first, tells everything of the files that follow. */
export class SilkArchive implements ArchiveKind {
  readonly totalBytes: number;
  readonly #directory: string;
  readonly #manifest: SnapshotManifest;
  readonly #missing: Map<string, SnapshotFile>;

  /** @throws SilkError `ARCHIVE_INVALID`, `INVALID_MANIFEST` */
  constructor(directory: string, manifest: Buffer | undefined) {
    this.#directory = directory;
    this.#manifest = parseManifest(
      manifest?.toString("utf8") ?? "",
      `the archive's ${manifestName}`,
    );
    this.#missing = new Map(this.#manifest.files.map((file) => [file.name, file]));
    this.totalBytes = this.#manifest.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  rule(name: string): UnpackRule | undefined {
    const file = this.#missing.get(name);
    return file === undefined ? undefined : { action: "write", maxBytes: file.sizeBytes };
  }

  take(found: SnapshotFile): void {
    const file = this.#missing.get(found.name);
    if (file === undefined) throw archiveInvalid(`${found.name} does not belong into it`);
    const lacking = file.sizeBytes - found.sizeBytes;
    if (lacking > 0) throw damaged(this.#directory, file.name, `is ${lacking} bytes short`);
    checkDigest(this.#directory, file, found.chunksSha256);
    this.#missing.delete(file.name);
  }

  async manifest(directory: string): Promise<SnapshotManifest> {
    for (const name of this.#missing.keys()) throw damaged(directory, name, "is missing");
    return this.#manifest;
  }
}

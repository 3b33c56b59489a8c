import { type ExternalFile, type Host, SilkError, toSilkError } from "@silkvm/core";
import { hashFile } from "../digest/hash-file.ts";
import type { VerifyOptions } from "./verify-files.ts";

/**
 * Checks that the files outside of a snapshot that it needs are on this host, and are what it was made with as far as it tells: their sizes and,
 * with `content`, their digests. Symlinks are followed.
 * @throws SilkError `FILE_NOT_FOUND`, `SNAPSHOT_FOREIGN_FILE`
 */
export async function verifyExternals(
  host: Host,
  externals: readonly ExternalFile[],
  options: VerifyOptions,
): Promise<void> {
  for (const external of externals) {
    options.signal?.throwIfAborted();
    await verifyExternal(host, external, options);
  }
}

async function verifyExternal(
  host: Host,
  { path, sizeBytes, chunksSha256 }: ExternalFile,
  { content, signal }: VerifyOptions,
): Promise<void> {
  const stat = await host.files.stat(path);
  if (stat === undefined)
    throw new SilkError(`${path}, which the snapshot needs, is not there`, {
      code: "FILE_NOT_FOUND",
      kind: "not-found",
      hint: `Put the file that the snapshot was made with at ${path}.`,
      details: { path },
    });
  if (stat.kind !== "file" && stat.kind !== "block-device") throw foreign(path);
  if (sizeBytes !== undefined && stat.sizeBytes !== sizeBytes) throw foreign(path);
  if (!content || chunksSha256 === undefined) return;
  const found = await host.files
    .realpath(path)
    .then((real) => hashFile(host, real, { signal }))
    .catch((error: unknown) => {
      throw signal?.aborted === true ? error : toSilkError(error, `cannot read ${path}`);
    });
  if (found.chunksSha256 !== chunksSha256) throw foreign(path);
}

function foreign(path: string): SilkError {
  return new SilkError(`${path} is not the file that the snapshot was made with`, {
    code: "SNAPSHOT_FOREIGN_FILE",
    kind: "conflict",
    // A guest has parts of its layers in memory: another file with the same content does not do.
    hint: path.endsWith(".erofs")
      ? "The layer was made into a file system by another version of mkfs.erofs. Use the same one on both hosts, or copy the file from there."
      : `Put the original back, or allow this one with \`--allow-path ${path}\` (\`allowPaths\`).`,
    details: { path },
  });
}

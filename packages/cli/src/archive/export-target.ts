import { resolve } from "node:path";
import { usageError } from "../cli-error.ts";

export type Compression = "gzip" | "zstd";

/** The flags of `silk snapshot export`, and where its stdout leads. */
export interface ExportWish {
  readonly output?: string | undefined;
  readonly "to-dir"?: string | undefined;
  readonly gzip: boolean;
  readonly zstd: boolean;
  readonly force: boolean;
  readonly json: boolean;
  readonly stdoutIsTerminal: boolean;
}

/** Where a snapshot goes to, and how. */
export type ExportTarget =
  | { readonly kind: "directory"; readonly path: string }
  | { readonly kind: "stdout"; readonly compression: Compression | undefined }
  | {
      readonly kind: "file";
      /** Undefined: named after the snapshot, in the current directory. */
      readonly path: string | undefined;
      readonly compression: Compression | undefined;
    };

/**
 * Where a command line wants a snapshot to go: `--to-dir`, the file or the stdout (`-`) of `--output`, and without either stdout, or,
 * where that is a terminal or prints JSON, a file that is named after the snapshot.
 * @throws CliError of kind `invalid` where the flags do not go together
 */
export function toExportTarget(wish: ExportWish): ExportTarget {
  const { output, "to-dir": directory, gzip, zstd, force, json, stdoutIsTerminal } = wish;
  if (gzip && zstd) throw usageError("--gzip and --zstd do not go together");
  if (directory !== undefined) {
    const [other] = Object.entries({ output, gzip, zstd, force }).find(([, value]) =>
      Boolean(value),
    ) ?? [undefined];
    if (other !== undefined)
      throw usageError(
        `--to-dir and --${other} do not go together`,
        "--to-dir makes a new directory with the snapshot's files as they are.",
      );
    return { kind: "directory", path: resolve(directory) };
  }
  if (output === "") throw usageError("--output: the name of the file is empty");
  const named = output === undefined || output === "-" ? undefined : output;
  const compression = gzip ? "gzip" : zstd ? "zstd" : compressionOf(named ?? "");
  if (named !== undefined) return { kind: "file", path: resolve(named), compression };
  if (output === "-" && json)
    throw usageError("--output - and --json do not go together", "Only one of them can be stdout.");
  if (output === "-" && stdoutIsTerminal)
    throw usageError(
      "an archive is nothing to print on a terminal",
      "Name a file with --output FILE, or let stdout be a file or a pipe.",
    );
  if (json || (output === undefined && stdoutIsTerminal))
    return { kind: "file", path: undefined, compression };
  return { kind: "stdout", compression };
}

/** The name of the file that an archive gets which was given none. */
export function archiveName(snapshotName: string, compression: Compression | undefined): string {
  const endings = { gzip: ".tar.gz", zstd: ".tar.zst" };
  return `${snapshotName}${compression === undefined ? ".tar" : endings[compression]}`;
}

/** What the end of a file's name says of its compression. */
function compressionOf(path: string): Compression | undefined {
  if (/\.(gz|tgz)$/i.test(path)) return "gzip";
  return /\.(zst|zstd|tzst)$/i.test(path) ? "zstd" : undefined;
}

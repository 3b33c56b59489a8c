import { join } from "node:path";
import { type CallOptions, type Host, SilkError } from "@silkvm/core";
import { runTool, type Tool } from "@silkvm/storage";

const mkfs: Tool = {
  command: "mkfs.erofs",
  missingCode: "MKFS_EROFS_NOT_FOUND",
  failedCode: "MKFS_EROFS_FAILED",
  debianPackage: "erofs-utils",
};
const fsck: Tool = { ...mkfs, command: "fsck.erofs" };
const tar: Tool = {
  command: "tar",
  missingCode: "TAR_NOT_FOUND",
  failedCode: "TAR_FAILED",
  debianPackage: "tar",
};

/** A layer of many files on a slow disk takes long; what hangs is ended by the caller's signal. */
const timeoutMs = 4 * 3_600_000;

/** How layers are made into file systems on this machine. */
export type ErofsMode =
  /** mkfs.erofs 1.8 or newer reads the archive itself. */
  | "tar"
  /** An older one reads a directory, which only root can make as it must be. */
  | "directory";

/**
 * Finds out how file systems can be made here.
 * @throws SilkError `MKFS_EROFS_NOT_FOUND`; `MKFS_EROFS_TOO_OLD` where that needs root, and this is not root
 */
export async function erofsMode(host: Host, options: CallOptions = {}): Promise<ErofsMode> {
  // The usage of old ones names no version, but `-V` as any wrong option does.
  const path = await host.processes.which(mkfs.command);
  const result =
    path === undefined
      ? undefined
      : await host.processes.run({ command: path, args: ["-V"], signal: options.signal });
  if (result === undefined) await runTool(host, mkfs, ["-V"], "layers cannot be converted");
  const text = `${result?.stdout}${result?.stderr}`;
  const [, major = "0", minor = "0"] =
    /mkfs\.erofs(?: \(erofs-utils\))? v?(\d+)\.(\d+)/.exec(text) ?? [];
  const version = `${major}.${minor}`;
  if (Number(major) > 1 || (Number(major) === 1 && Number(minor) >= 8)) return "tar";
  if (host.facts.uid === 0) return "directory";
  throw new SilkError(
    `layers cannot be converted: mkfs.erofs ${version} needs a directory with the owners, devices and attributes of the layer, and only root can make one`,
    {
      code: "MKFS_EROFS_TOO_OLD",
      kind: "unsupported",
      hint: "Install erofs-utils 1.8 or newer, which needs no root, or run silk as root.",
      details: { version },
    },
  );
}

/**
 * Makes a file system of a flattened layer. The same archive and the same version of the program give the same bytes: neither the clock nor chance
 * is in them.
 * @throws SilkError `MKFS_EROFS_FAILED`, `TAR_FAILED`, `DISK_FULL`
 */
export async function makeErofs(
  host: Host,
  request: CallOptions & {
    readonly mode: ErofsMode;
    readonly tarPath: string;
    readonly erofsPath: string;
    /** A directory of the caller's own. */
    readonly directory: string;
    /** Hex, at least 32 characters: makes the UUID. */
    readonly idHex: string;
    /** No file is newer: a newer one would get this time. */
    readonly latestSeconds: number;
  },
): Promise<void> {
  const { mode, tarPath, erofsPath, directory, signal } = request;
  const env = { SOURCE_DATE_EPOCH: String(Math.max(request.latestSeconds, 1)) };
  // The smallest clusters are what kernels before 5.13 can read, and what random reads are fastest with.
  const args = ["--quiet", "-zlz4", "-C4096", "-U", uuidOf(request.idHex)];
  const doing = "converting a layer";
  if (mode === "tar") {
    await runTool(host, mkfs, [...args, "-b4096", "--tar=f", erofsPath, tarPath], doing, {
      signal,
      timeoutMs,
      env,
    });
    return;
  }
  const root = join(directory, "root");
  await host.files.mkdir(root, { mode: 0o700 });
  const unpack = [
    "--extract",
    `--file=${tarPath}`,
    `--directory=${root}`,
    "--numeric-owner",
    "--same-owner",
    "--same-permissions",
    "--delay-directory-restore",
    "--xattrs",
    "--xattrs-include=*",
    "--warning=no-timestamp",
  ];
  await runTool(host, tar, unpack, "unpacking a layer", { signal, timeoutMs });
  await host.files.remove(tarPath);
  await runTool(host, mkfs, [...args, erofsPath, root], doing, { signal, timeoutMs, env });
  await host.files.remove(root);
}

/** Unpacks a layer's file system into a directory that is not there yet. */
export async function unpackErofs(
  host: Host,
  erofsPath: string,
  directory: string,
  { signal }: CallOptions,
): Promise<void> {
  await host.files.mkdir(directory, { mode: 0o700 });
  await runTool(
    host,
    fsck,
    [`--extract=${directory}`, "--overwrite", erofsPath],
    "reading a layer",
    {
      signal,
      timeoutMs,
    },
  );
}

function uuidOf(hex: string): string {
  // Version 8: an id of the maker's own making.
  const bits = `${hex.slice(0, 12)}8${hex.slice(13, 16)}a${hex.slice(17, 32)}`;
  return bits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

import type { CallOptions, Host } from "@silkvm/core";
import { checkTool, runTool, type Tool } from "./tool.ts";

const mkfs: Tool = {
  command: "mkfs.ext4",
  missingCode: "MKFS_NOT_FOUND",
  failedCode: "MKFS_FAILED",
  debianPackage: "e2fsprogs",
};

/** ext4 cuts a label at 16 bytes. */
const labelLength = 16;

/**
 * Puts an ext4 on a file or a device; what was on it is lost.
 *
 * The tables of inodes and the journal are left to the guest's kernel to zero: a new sparse file reads as zeros already, and
 * writing them would fill its holes. No blocks are reserved for root.
 * @throws SilkError `MKFS_NOT_FOUND`, `MKFS_FAILED`, `DISK_FULL`
 */
export async function formatExt4(
  host: Host,
  request: CallOptions & { readonly path: string; readonly label?: string | undefined },
): Promise<void> {
  const [, ...args] = ext4Command(request);
  await runTool(host, mkfs, args, `formatting ${request.path}`, { signal: request.signal });
}

/** The command that {@link formatExt4} runs. */
export function ext4Command(request: {
  readonly path: string;
  readonly label?: string | undefined;
}): readonly string[] {
  const { path, label } = request;
  const labelArgs = label === undefined ? [] : ["-L", label.slice(0, labelLength)];
  const extended = "lazy_itable_init=1,lazy_journal_init=1,nodiscard";
  return [mkfs.command, "-F", "-q", "-m", "0", ...labelArgs, "-E", extended, path];
}

/** Sees to it that `mkfs.ext4` is there. @throws SilkError `MKFS_NOT_FOUND` */
export async function checkExt4Tool(host: Host): Promise<void> {
  await checkTool(host, mkfs, "ext4 disks cannot be made");
}

/** Room that a new ext4 takes on a sparse file, rounded up: some 4 MiB at 10 GiB, 220 MiB at 15 TiB. */
export function spaceForExt4(sizeBytes: number): number {
  return Math.min(sizeBytes, 8 * 1024 * 1024 + Math.ceil(sizeBytes / 32_768));
}

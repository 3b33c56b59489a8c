import { randomBytes } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { reflink as shareBlocks } from "@silkvm/sys";
import type { Check } from "../finding.ts";
import { silentDirectory } from "../responds.ts";

/** Whether disks can be copied without copying their data. */
export const reflink: Check = {
  id: "reflink",
  title: "reflink",
  group: "Directories",
  atWorst: "warning",
  async run(context) {
    const { config, host, signal } = context;
    const silent = await silentDirectory(context, config.rootDir);
    if (silent !== undefined) return silent;
    const { files } = host;
    const { type } = await files.space(config.rootDir);
    if ((await files.stat(config.rootDir))?.kind !== "directory")
      return {
        status: "skipped",
        evidence: `not tried: ${config.rootDir} is not there yet (its parent is on ${type})`,
      };
    if (!(await files.canAccess(config.rootDir, "write")))
      return {
        status: "skipped",
        evidence: `not tried: this user may not write to ${config.rootDir} (${type})`,
      };
    signal.throwIfAborted();
    if (await host.effect("reflink probe", () => canShareBlocks(config.rootDir)))
      return { status: "ok", evidence: `${config.rootDir} is on ${type}, which shares blocks` };
    return {
      status: "warning",
      evidence: `${config.rootDir} is on ${type}, which does not share blocks between files`,
      why: "Copies of disks for snapshots and clones take time and room; with reflink they take neither.",
      fix: {
        description:
          "Put the root directory on XFS or btrfs (`mkfs.xfs` turns reflink on by itself).",
        automatic: false,
      },
    };
  },
};

/** What the kernel answers where the file system, or a layer above it, has no such thing. */
const refusals: ReadonlySet<unknown> = new Set([
  "ENOTSUP",
  "EOPNOTSUPP",
  "EINVAL",
  "ENOTTY",
  "ENOSYS",
  "EXDEV",
]);

/** Tries it on two files that have no name any more when it does: however this process ends, nothing of them stays. */
async function canShareBlocks(directory: string): Promise<boolean> {
  await using source = await openNameless(directory);
  await using target = await openNameless(directory);
  await source.write(Buffer.alloc(4096, 1));
  try {
    shareBlocks(source.fd, target.fd);
    return true;
  } catch (error) {
    if (refusals.has((error as { code?: unknown }).code)) return false;
    throw error;
  }
}

async function openNameless(directory: string): Promise<FileHandle> {
  const path = join(directory, `.silk-doctor-${randomBytes(8).toString("hex")}`);
  const file = await open(path, "wx+", 0o600);
  await rm(path);
  return file;
}

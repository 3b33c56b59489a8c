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
    if (await files.sharesBlocks(config.rootDir))
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

import { boolean, string } from "@oclif/core/flags";
import { exportTo } from "../../archive/export.ts";
import { toExportTarget } from "../../archive/export-target.ts";
import { SilkCommand } from "../../base-command.ts";
import { openEngine } from "../../engine.ts";
import { oneSnapshot } from "../../flags/snapshot-args.ts";
import { printJson } from "../../output/stdout.ts";

export default class SnapshotExport extends SilkCommand {
  static override summary = "write a snapshot to an archive, or to a directory";
  static override description =
    "The archive is a tar with holes kept (`tar -xf` of GNU tar unpacks it) and goes to stdout; on a terminal, and with --json, to a file in the current directory that is named after the snapshot. A file appears under its name only when all of it is on the disk, and is for its owner alone: it holds the guest's memory. A name that ends in .gz or .zst says how it is to be packed.";
  static override usage = "<%= command.id %> SNAPSHOT [FLAGS]";
  static override examples = [
    { description: "to a file", command: "silk snapshot export golden --output golden.tar.zst" },
    {
      description: "to another host",
      command: "silk snapshot export golden --zstd | ssh host silk snapshot import",
    },
    {
      description: "to a directory, which `silk vm clone --from-dir` takes",
      command: "silk snapshot export golden --to-dir /backup/golden",
    },
  ];
  static override args = oneSnapshot;
  static override flags = {
    output: string({
      char: "o",
      description: "the file to write, - for stdout",
      helpValue: "FILE",
    }),
    gzip: boolean({ description: "pack with gzip" }),
    zstd: boolean({ description: "pack with zstd: faster, and smaller" }),
    force: boolean({ char: "f", description: "replace a file that is there" }),
    "to-dir": string({ description: "a new directory to write to", helpValue: "DIR" }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SnapshotExport);
    const target = toExportTarget({ ...flags, stdoutIsTerminal: process.stdout.isTTY });
    await using open = await openEngine(flags, this.config);
    const exported = await exportTo(open, args.snapshot, target, flags.force);
    if (flags.json) printJson(exported);
  }
}

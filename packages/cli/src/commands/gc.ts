import { boolean } from "@oclif/core/flags";
import type { Orphan } from "@silkvm/core";
import { SilkCommand } from "../base-command.ts";
import { openEngine } from "../engine.ts";
import { formatSize } from "../output/format-size.ts";
import { say } from "../output/stderr.ts";
import { print, printJson, terminalWidth } from "../output/stdout.ts";
import { type Column, renderTable } from "../output/table.ts";

const size: Column<Orphan> = {
  header: "SIZE",
  align: "right",
  cell: ({ sizeBytes = 0 }) => (sizeBytes === 0 ? "-" : formatSize(sizeBytes)),
};

const columns = (isSized: boolean): readonly Column<Orphan>[] => [
  { header: "KIND", cell: ({ kind }) => kind },
  { header: "NAME", cell: ({ name }) => name },
  ...(isSized ? [size] : []),
  { header: "WHY", cell: ({ why }) => why, shrinkTo: 12 },
];

export default class Gc extends SilkCommand {
  static override summary = "remove what nothing owns, and print it";
  static override description =
    "Processes, directories, logs and halves of snapshots that were left behind, what no image, VM or snapshot needs of images, and the rests of pulls. SIZE is told of what is of images. Nothing that a VM or a snapshot needs is touched, nor what is older than the store, which another store may know of.";
  static override examples = [
    { description: "only look", command: "silk gc --dry-run" },
    { description: "remove", command: "silk gc" },
  ];
  static override flags = {
    "dry-run": boolean({ description: "only tell what would be removed" }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Gc);
    await using open = await openEngine(flags, this.config);
    const options = open.change("looking for what no VM owns");
    const orphans = await open.engine.gc({ ...options, dryRun: flags["dry-run"] });
    if (flags.json) printJson(orphans);
    else if (orphans.length === 0) say("There is nothing to remove.");
    else {
      const bytes = orphans.reduce((sum, { sizeBytes = 0 }) => sum + sizeBytes, 0);
      print(renderTable(columns(bytes > 0), orphans, { width: terminalWidth() }));
      if (flags["dry-run"]) say("Nothing was removed: this was a dry run.");
      else if (bytes > 0) say(`${formatSize(bytes)} of images freed.`);
    }
  }
}

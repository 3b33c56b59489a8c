import { boolean } from "@oclif/core/flags";
import type { Orphan } from "@silkvm/core";
import { SilkCommand } from "../base-command.ts";
import { openEngine } from "../engine.ts";
import { say } from "../output/stderr.ts";
import { print, printJson, terminalWidth } from "../output/stdout.ts";
import { type Column, renderTable } from "../output/table.ts";

const columns: readonly Column<Orphan>[] = [
  { header: "KIND", cell: ({ kind }) => kind },
  { header: "NAME", cell: ({ name }) => name },
  { header: "WHY", cell: ({ why }) => why, shrinkTo: 12 },
];

export default class Gc extends SilkCommand {
  static override summary = "remove what nothing owns, and print it";
  static override description =
    "Processes, directories, logs and halves of snapshots that were left behind. Nothing that a VM or a snapshot needs is touched, nor what is older than the store, which another store may know of.";
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
      print(renderTable(columns, orphans, { width: terminalWidth() }));
      if (flags["dry-run"]) say("Nothing was removed: this was a dry run.");
    }
  }
}

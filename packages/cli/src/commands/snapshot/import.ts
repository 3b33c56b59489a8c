import { string } from "@oclif/core/flags";
import { string as argument } from "@oclif/core/args";
import { importFrom } from "../../archive/import.ts";
import { SilkCommand } from "../../base-command.ts";
import { openEngine } from "../../engine.ts";
import { allowPathFlags } from "../../flags/load.ts";
import { toAllowPaths } from "../../load-options.ts";
import { printJson, printLine } from "../../output/stdout.ts";

export default class SnapshotImport extends SilkCommand {
  static override summary = "take a snapshot in from an archive, and print its id";
  static override description =
    "Reads what `silk snapshot export` writes, and archives of cocoon, packed or not: how is seen from their content. Everything is checked before anybody sees the snapshot, and nothing is left of one that is refused. A snapshot from elsewhere uses no file of this host that is not its own unless --allow-path names it.";
  static override usage = "<%= command.id %> [FILE | -] [FLAGS]";
  static override examples = [
    { description: "from a file", command: "silk snapshot import golden.tar.zst" },
    {
      description: "from a pipe, under another name",
      command: "ssh host silk snapshot export golden | silk snapshot import --name golden-2",
    },
  ];
  static override args = {
    file: argument({ description: "the archive, - for stdin [default: stdin]", ignoreStdin: true }),
  };
  static override flags = {
    name: string({
      description: "name of the snapshot here [default: the archive's]",
      helpValue: "NAME",
    }),
    description: string({
      description: "what it is, for people [default: the archive's]",
      helpValue: "TEXT",
    }),
    ...allowPathFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SnapshotImport);
    const { name, description, json } = flags;
    const wanted = { name, description, allowPaths: toAllowPaths(flags) };
    await using open = await openEngine(flags, this.config);
    const snapshot = await importFrom(open, args.file, wanted);
    if (json) printJson(snapshot);
    else printLine(snapshot.id);
  }
}

import { boolean } from "@oclif/core/flags";
import { SilkCommand } from "../../base-command.ts";
import { openEngine } from "../../engine.ts";
import { loadFlags } from "../../flags/load.ts";
import { maybeSnapshot } from "../../flags/snapshot-args.ts";
import { oneVm } from "../../flags/vm-args.ts";
import { snapshotWords, toLoadOptions, toSnapshotRef } from "../../load-options.ts";
import { limitsLine, toLoadedView } from "../../load-view.ts";
import { printJson, printLine } from "../../output/stdout.ts";

export default class VmRestore extends SilkCommand {
  static override summary = "take a VM back to a snapshot, and print its id";
  static override description =
    "What its memory and its disks hold now is lost. Everything that can be wrong is found out before the VM is touched. The snapshot must be of this VM, or one that it came from, unless --force. With --json also how it got its memory, and how long each part took.";
  static override usage = "<%= command.id %> VM (SNAPSHOT | --from-dir DIR) [FLAGS]";
  static override examples = [
    { description: "back to where it was", command: "silk vm restore web web-1" },
    {
      description: "to another VM's snapshot",
      command: "silk vm restore web golden --force",
    },
    {
      description: "from a directory that was brought here",
      command: "silk vm restore web --from-dir /backup/web",
    },
  ];
  static override args = { ...oneVm, ...maybeSnapshot };
  static override flags = {
    ...loadFlags,
    force: boolean({ char: "f", description: "also to a snapshot of another VM" }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(VmRestore);
    const from = toSnapshotRef(args.snapshot, flags["from-dir"]);
    await using open = await openEngine(flags, this.config);
    const options = open.change(`taking ${args.vm} back to ${snapshotWords(from)}`);
    const { force } = flags;
    const view = toLoadedView(
      await open.engine.restore(args.vm, from, { ...options, ...toLoadOptions(flags), force }),
    );
    if (flags.json) printJson(view);
    else printLine(view.id);
    const limits = limitsLine(view);
    if (limits !== undefined) open.note(limits);
  }
}

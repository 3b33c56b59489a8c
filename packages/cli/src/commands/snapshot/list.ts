import { boolean, string } from "@oclif/core/flags";
import { SilkCommand } from "../../base-command.ts";
import { openEngine } from "../../engine.ts";
import { print, terminalWidth } from "../../output/stdout.ts";
import { renderSnapshotList } from "../../snapshot-list-view.ts";

export default class SnapshotList extends SilkCommand {
  static override aliases = ["snapshot ls"];
  static override summary = "list snapshots, oldest first";
  static override description =
    "SIZE is the sum of the files' sizes, holes included; `silk snapshot inspect` shows what is on the disk. PARENT is the snapshot that the VM had come from.";
  static override examples = [
    { description: "all snapshots", command: "silk snapshot list" },
    { description: "those of one VM, also when it is gone", command: "silk snapshot ls --vm web" },
    {
      description: "the ids, to remove them",
      command: "silk snapshot rm $(silk snapshot list --vm web --quiet)",
    },
  ];
  static override flags = {
    vm: string({ description: "only those of this VM, by its id or name", helpValue: "VM" }),
    quiet: boolean({ char: "q", description: "print ids only" }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(SnapshotList);
    const { vm, json, quiet } = flags;
    await using open = await openEngine(flags, this.config);
    const snapshots = await open.engine.snapshots.list({ ...open.call(), vm });
    const pretty = process.stdout.isTTY;
    const view = { json, quiet, pretty, nowMs: Date.now(), width: terminalWidth() };
    print(renderSnapshotList(snapshots, view));
  }
}

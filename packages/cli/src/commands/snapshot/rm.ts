import { SilkCommand } from "../../base-command.ts";
import { printBatch } from "../../batch-result.ts";
import { openEngine } from "../../engine.ts";
import { someSnapshots } from "../../flags/snapshot-args.ts";
import { listWords } from "../../list-words.ts";

export default class SnapshotRm extends SilkCommand {
  static override summary = "remove snapshots and print their ids; VMs that came from them live on";
  static override description =
    "A snapshot that is being read is waited for; with --no-wait it is refused.";
  static override usage = "<%= command.id %> SNAPSHOT...";
  static override examples = [
    { description: "one snapshot, by name", command: "silk snapshot rm golden" },
    {
      description: "all of a VM's",
      command: "silk snapshot rm $(silk snapshot list --vm web --quiet)",
    },
  ];
  static override args = someSnapshots;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SnapshotRm);
    await using open = await openEngine(flags, this.config);
    const options = open.change(`removing ${listWords(args.snapshot)}`);
    printBatch(await open.engine.snapshots.delete(args.snapshot, options), flags.json);
  }
}

import { SilkCommand } from "../../base-command.ts";
import { openEngine } from "../../engine.ts";
import { someSnapshots } from "../../flags/snapshot-args.ts";
import { inspectEach } from "../../inspect-each.ts";
import { renderSnapshotDetails } from "../../snapshot-view.ts";

export default class SnapshotInspect extends SilkCommand {
  static override summary = "show everything about snapshots";
  static override description =
    "What it is of, what it holds, what it needs of the host, and which VMs came from it. With --json one snapshot is an object, several are an array in the order of the command line; what is wrong with one stands in its place as an object with `ref` and `error`.";
  static override usage = "<%= command.id %> SNAPSHOT...";
  static override examples = [
    { description: "for a person", command: "silk snapshot inspect golden" },
    {
      description: "which VMs came from it",
      command: "silk snapshot inspect golden --json | jq .usedBy",
    },
  ];
  static override args = someSnapshots;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SnapshotInspect);
    await using open = await openEngine(flags, this.config);
    const nowMs = Date.now();
    await inspectEach(
      args.snapshot,
      flags.json,
      async (ref) => await open.engine.snapshots.inspect(ref, open.call()),
      (view) => renderSnapshotDetails(view, nowMs),
    );
  }
}

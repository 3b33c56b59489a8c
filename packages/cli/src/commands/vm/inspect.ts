import { SilkCommand } from "../../base-command.ts";
import { type OpenEngine, openEngine } from "../../engine.ts";
import { someVms } from "../../flags/vm-args.ts";
import { inspectEach } from "../../inspect-each.ts";
import { renderVmView, snapshotsOf } from "../../inspect-view.ts";

export default class VmInspect extends SilkCommand {
  static override summary = "show everything about VMs";
  static override description =
    "The record, and what is true now. With --json one VM is an object, several are an array in the order of the command line; what is wrong with one stands in its place as an object with `ref` and `error`.";
  static override usage = "<%= command.id %> VM...";
  static override examples = [
    { description: "for a person", command: "silk vm inspect web" },
    {
      description: "the process id of the VMM",
      command: "silk vm inspect web --json | jq .runtime.vmm.pid",
    },
    {
      description: "how a clone got its memory, and what it cannot do",
      command: "silk vm inspect web-1 --json | jq .runtime.memory",
    },
  ];
  static override args = someVms;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(VmInspect);
    await using open = await openEngine(flags, this.config);
    const nowMs = Date.now();
    let names: ReadonlyMap<string, string> = new Map();
    await inspectEach(
      args.vm,
      flags.json,
      async (ref) => {
        const view = await open.engine.inspect(ref, open.call());
        if (!flags.json && snapshotsOf(view).size > 0) names = await snapshotNames(open);
        return view;
      },
      (view) => renderVmView(view, nowMs, names),
    );
  }
}

async function snapshotNames(open: OpenEngine): Promise<ReadonlyMap<string, string>> {
  const snapshots = await open.engine.snapshots.list(open.call());
  return new Map(snapshots.map(({ id, name }) => [id, name]));
}

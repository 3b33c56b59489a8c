import { boolean } from "@oclif/core/flags";
import { SilkCommand } from "../../base-command.ts";
import { openEngine } from "../../engine.ts";
import { durationFlag } from "../../flags/values.ts";
import { anyVms } from "../../flags/vm-args.ts";
import { usageError } from "../../cli-error.ts";
import { printStatus, watchStatus } from "../../status/watch-status.ts";
import { followVmEvents } from "../../status/follow-events.ts";

const defaultIntervalMs = 1000;

export default class VmStatus extends SilkCommand {
  static override summary = "watch the state of VMs";
  static override description =
    "On a terminal a table that is drawn anew until Ctrl-C; elsewhere, and with --json, the table once. With --events a line for each VM as it is, then one for each thing that happens.";
  static override usage = "<%= command.id %> [VM...]";
  static override examples = [
    { description: "all VMs", command: "silk vm status" },
    {
      description: "what happens to two of them, for a program",
      command: "silk vm status web db --events --json",
    },
  ];
  static override args = anyVms;
  static override flags = {
    events: boolean({ description: "append a line for each event instead of a table" }),
    interval: durationFlag({ description: "time between two looks [default: 1s]" }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(VmStatus);
    if (flags.interval !== undefined && flags.interval < 100)
      throw usageError("--interval: it must be at least 100ms");
    await using open = await openEngine(flags, this.config);
    const refs = args.vm ?? [];
    // Refs are made ids once: a VM that is removed while it is watched is no error, and its name may come back as another VM.
    const vms = await Promise.all(refs.map(async (ref) => await open.engine.get(ref)));
    const ids = refs.length === 0 ? undefined : new Set(vms.map(({ id }) => id));
    if (flags.events) await followVmEvents(open, ids, flags.json);
    else if (process.stdout.isTTY && !flags.json)
      await watchStatus(open, ids, flags.interval ?? defaultIntervalMs);
    else await printStatus(open, ids, flags.json);
  }
}

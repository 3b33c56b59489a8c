import { netResize } from "@silkvm/netresize";
import { SilkCommand } from "../../../base-command.ts";
import { usageError } from "../../../cli-error.ts";
import { openEngine } from "../../../engine.ts";
import { detachBaseFlags } from "../../../flags/device.ts";
import { integerFlag } from "../../../flags/values.ts";
import { oneVm } from "../../../flags/vm-args.ts";
import { renderResize } from "../../../nic-view.ts";
import { print, printJson } from "../../../output/stdout.ts";

export default class VmNetSet extends SilkCommand {
  static override summary = "bring a VM to a number of NICs, while it runs";
  static override description =
    "What an interrupted change left is healed first. Then NICs are added, or removed from the end, one at a time: each is whole or undone before the next one, also when you interrupt it. A guest has to let go of a NIC that is removed; where it does not within --timeout the command fails, the NIC stays `leaving`, and the same command waits for it again. A VM that does not run has the change at its next start. With --json: `before`, `after`, `added`, `removed`, `warnings`.";
  static override usage = "<%= command.id %> VM --nics N";
  static override examples = [
    { description: "four NICs, however many there are", command: "silk vm net set web --nics 4" },
    { description: "none", command: "silk vm net set web --nics 0" },
    {
      description: "give a busy guest a minute for each NIC",
      command: "silk vm net set web --nics 1 --timeout 1m",
    },
    {
      description: "the MACs of those that were added",
      command: "silk vm net set web --nics 4 --json | jq -r '.added[].mac'",
    },
  ];
  static override args = oneVm;
  static override baseFlags = detachBaseFlags;
  static override flags = {
    nics: integerFlag({ description: "how many NICs the VM is to have, 0 to 16 (required)" }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(VmNetSet);
    const { nics: target, timeout: graceMs } = flags;
    const { vm } = args;
    if (target === undefined)
      throw usageError("--nics is missing", "Say how many NICs the VM is to have: --nics 2");
    await using open = await openEngine(flags, this.config, { timeoutIsDeadline: false });
    const options = { ...open.change(`changing the NICs of ${vm}`), graceMs };
    const result = await netResize(open.engine, vm, { target }, options);
    if (flags.json) printJson(result);
    else print(renderResize(result));
  }
}

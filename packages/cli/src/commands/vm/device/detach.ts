import { string } from "@oclif/core/flags";
import { SilkCommand } from "../../../base-command.ts";
import { openEngine } from "../../../engine.ts";
import { detachBaseFlags } from "../../../flags/device.ts";
import { oneVm } from "../../../flags/vm-args.ts";
import { printJson, printLine } from "../../../output/stdout.ts";

export default class VmDeviceDetach extends SilkCommand {
  static override summary = "take a PCI device of the host from a VM and print its id";
  static override description =
    "The guest is asked to let go of the device. Where it does not within --timeout the command fails, the device stays `detaching`, and the same command waits for it again. What --bind took from the host's drivers goes back to them, with the last device of its group.";
  static override usage = "<%= command.id %> VM --id ID";
  static override examples = [
    {
      description: "take it away",
      command: "silk vm device detach web --id silk-vfio-000001000",
    },
    { description: "by its address", command: "silk vm device detach web --id 01:00.0" },
  ];
  static override args = oneVm;
  static override baseFlags = detachBaseFlags;
  static override flags = {
    id: string({
      description: "id, or PCI address, of the device: see `silk vm device list`",
      helpValue: "ID",
      required: true,
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(VmDeviceDetach);
    const { timeout: graceMs, json } = flags;
    await using open = await openEngine(flags, this.config, { timeoutIsDeadline: false });
    const { deviceDetach } = await import("@silkvm/vfio");
    const options = { ...open.change(`detaching ${flags.id} from ${args.vm}`), graceMs };
    const id = await deviceDetach(open.engine, args.vm, flags.id, options);
    if (json) printJson({ id });
    else printLine(id);
  }
}

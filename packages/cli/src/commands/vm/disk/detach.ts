import { string } from "@oclif/core/flags";
import { SilkCommand } from "../../../base-command.ts";
import { openEngine } from "../../../engine.ts";
import { detachBaseFlags } from "../../../flags/device.ts";
import { oneVm } from "../../../flags/vm-args.ts";
import { printJson, printLine } from "../../../output/stdout.ts";

export default class VmDiskDetach extends SilkCommand {
  static override summary = "take a disk from a VM and print its id; the file stays";
  static override description =
    "The guest is asked to let go of the disk. Where it does not within --timeout the command fails, the disk stays `detaching`, and the same command waits for it again. Unmount it in the guest first. From a VM that does not run: the disk does not come back at its next start.";
  static override usage = "<%= command.id %> VM --name NAME";
  static override examples = [
    { description: "take it away", command: "silk vm disk detach web --name backup" },
    {
      description: "give a busy guest a minute",
      command: "silk vm disk detach web --name backup --timeout 1m",
    },
  ];
  static override args = oneVm;
  static override baseFlags = detachBaseFlags;
  static override flags = {
    name: string({
      description: "name, or id, of the disk: see `silk vm disk list`",
      helpValue: "NAME",
      required: true,
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(VmDiskDetach);
    const { name, timeout: graceMs, json } = flags;
    await using open = await openEngine(flags, this.config, { timeoutIsDeadline: false });
    const { diskKind } = await import("@silkvm/storage");
    const options = { ...open.change(`detaching ${name} from ${args.vm}`), graceMs };
    const { id } = await open.engine.devices.detach(args.vm, diskKind, name, options);
    if (json) printJson({ id, name });
    else printLine(id);
  }
}

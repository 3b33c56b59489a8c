import { string } from "@oclif/core/flags";
import { SilkCommand } from "../../../base-command.ts";
import { openEngine } from "../../../engine.ts";
import { detachBaseFlags } from "../../../flags/device.ts";
import { oneVm } from "../../../flags/vm-args.ts";
import { printJson, printLine } from "../../../output/stdout.ts";

export default class VmFsDetach extends SilkCommand {
  static override summary =
    "take a shared directory from a VM and print its id; the directory stays";
  static override description =
    "Unmount it in the guest first. The guest is asked to let go of it. Where it does not within --timeout the command fails, the share stays `detaching`, and the same command waits for it again. A virtiofsd that silk started is ended. From a VM that does not run: the share does not come back at its next start.";
  static override usage = "<%= command.id %> VM --tag TAG";
  static override examples = [
    { description: "take it away", command: "silk vm fs detach web --tag src" },
    {
      description: "give a busy guest a minute",
      command: "silk vm fs detach web --tag src --timeout 1m",
    },
  ];
  static override args = oneVm;
  static override baseFlags = detachBaseFlags;
  static override flags = {
    tag: string({
      description: "tag, or id, of the share: see `silk vm fs list`",
      helpValue: "TAG",
      required: true,
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(VmFsDetach);
    const { tag, timeout: graceMs, json } = flags;
    await using open = await openEngine(flags, this.config, { timeoutIsDeadline: false });
    const { fsDetach } = await import("@silkvm/virtiofs");
    const options = { ...open.change(`detaching ${tag} from ${args.vm}`), graceMs };
    const id = await fsDetach(open.engine, args.vm, tag, options);
    if (json) printJson({ id, tag });
    else printLine(id);
  }
}

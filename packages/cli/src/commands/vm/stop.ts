import { boolean } from "@oclif/core/flags";
import { SilkCommand } from "../../base-command.ts";
import { printBatch } from "../../batch-result.ts";
import { openEngine } from "../../engine.ts";
import { globalFlags } from "../../flags/global.ts";
import { durationFlag } from "../../flags/values.ts";
import { someVms } from "../../flags/vm-args.ts";
import { listWords } from "../../list-words.ts";

export default class VmStop extends SilkCommand {
  static override summary = "stop VMs and print their ids; one that has stopped is a success";
  static override description =
    "A guest that boots by firmware is asked to shut down, and ended where it has not after --timeout. One that boots a kernel directly has no power button: its VMM is ended in order.";
  static override usage = "<%= command.id %> VM...";
  static override examples = [
    { description: "give the guest a minute", command: "silk vm stop web --timeout 1m" },
    { description: "do not ask the guest", command: "silk vm stop web db --force" },
  ];
  static override args = someVms;
  static override baseFlags = {
    ...globalFlags,
    timeout: durationFlag({
      description: "how long the guest may take to shut down [default: 30s]",
    }),
  };
  static override flags = {
    force: boolean({ char: "f", description: "end the VMM without asking the guest" }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(VmStop);
    await using open = await openEngine(flags, this.config, { timeoutIsDeadline: false });
    const options = open.change(`stopping ${listWords(args.vm)}`);
    const { force, timeout: graceMs } = flags;
    printBatch(await open.engine.stop(args.vm, { ...options, force, graceMs }), flags.json);
  }
}

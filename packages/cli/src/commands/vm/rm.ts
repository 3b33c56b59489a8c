import { boolean } from "@oclif/core/flags";
import { SilkCommand } from "../../base-command.ts";
import { printBatch } from "../../batch-result.ts";
import { openEngine } from "../../engine.ts";
import { someVms } from "../../flags/vm-args.ts";
import { listWords } from "../../list-words.ts";

export default class VmRm extends SilkCommand {
  static override summary = "remove VMs with their disks and print their ids";
  static override description =
    "Disks that were given with --disk stay. A VM that runs is refused without --force.";
  static override usage = "<%= command.id %> VM...";
  static override examples = [
    { description: "a VM that has stopped", command: "silk vm rm web" },
    { description: "stop them first where they run", command: "silk vm rm --force web db" },
  ];
  static override args = someVms;
  static override flags = {
    force: boolean({ char: "f", description: "stop a VM that runs, without asking the guest" }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(VmRm);
    await using open = await openEngine(flags, this.config);
    const options = open.change(`removing ${listWords(args.vm)}`);
    const result = await open.engine.delete(args.vm, { ...options, force: flags.force });
    printBatch(result, flags.json);
  }
}

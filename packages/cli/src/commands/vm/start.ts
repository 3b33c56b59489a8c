import { boolean } from "@oclif/core/flags";
import { SilkCommand } from "../../base-command.ts";
import { printBatch } from "../../batch-result.ts";
import { openEngine } from "../../engine.ts";
import { someVms } from "../../flags/vm-args.ts";
import { listWords } from "../../list-words.ts";

export default class VmStart extends SilkCommand {
  static override summary = "start VMs and print their ids; one that runs is a success";
  static override description =
    "A VM that hibernates goes on with `silk vm wake`; it is refused here without --cold, which gives up what was in its memory.";
  static override usage = "<%= command.id %> VM...";
  static override examples = [
    { description: "one VM, by name", command: "silk vm start web" },
    {
      description: "all that have stopped",
      command: "silk vm start $(silk vm list --quiet --filter state=stopped)",
    },
  ];
  static override args = someVms;
  static override flags = {
    cold: boolean({ description: "boot a VM that hibernates from its disks" }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(VmStart);
    await using open = await openEngine(flags, this.config);
    const options = open.change(`starting ${listWords(args.vm)}`);
    const result = await open.engine.start(args.vm, { ...options, cold: flags.cold });
    printBatch(result, flags.json);
  }
}

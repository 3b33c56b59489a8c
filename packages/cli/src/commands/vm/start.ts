import { SilkCommand } from "../../base-command.ts";
import { printBatch } from "../../batch-result.ts";
import { openEngine } from "../../engine.ts";
import { someVms } from "../../flags/vm-args.ts";
import { listWords } from "../../list-words.ts";

export default class VmStart extends SilkCommand {
  static override summary = "start VMs and print their ids; one that runs is a success";
  static override usage = "<%= command.id %> VM...";
  static override examples = [
    { description: "one VM, by name", command: "silk vm start web" },
    {
      description: "all that have stopped",
      command: "silk vm start $(silk vm list --quiet --filter state=stopped)",
    },
  ];
  static override args = someVms;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(VmStart);
    await using open = await openEngine(flags, this.config);
    const options = open.change(`starting ${listWords(args.vm)}`);
    const result = await open.engine.start(args.vm, options);
    printBatch(result, flags.json);
  }
}

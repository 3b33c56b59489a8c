import { SilkCommand } from "../../base-command.ts";
import { openEngine } from "../../engine.ts";
import { vmSpecFlags } from "../../flags/vm-spec.ts";
import { printJson, printLine } from "../../output/stdout.ts";
import { shellQuote } from "../../output/shell-quote.ts";
import { toVmSpec } from "../../vm-spec.ts";

export default class VmDebug extends SilkCommand {
  static override summary = "print the command line that would start such a VM; nothing is made";
  static override description =
    "Takes what `silk vm create` takes. The command line is quoted for a shell; with --json it is an array of words.";
  static override usage = "<%= command.id %> (--kernel FILE | --firmware FILE) [FLAGS]";
  static override examples = [
    {
      description: "see how a VM would be started",
      command: "silk vm debug --kernel vmlinux --disk root.raw --cpus 2",
    },
  ];
  static override flags = vmSpecFlags;

  async run(): Promise<void> {
    const { flags } = await this.parse(VmDebug);
    const spec = toVmSpec(flags);
    await using open = await openEngine(flags, this.config);
    const words = await open.engine.launchCommand(spec, open.call());
    if (flags.json) printJson(words);
    else printLine(words.map(shellQuote).join(" "));
  }
}

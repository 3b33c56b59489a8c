import { SilkCommand } from "../../base-command.ts";
import { openEngine } from "../../engine.ts";
import { vmSpecFlags } from "../../flags/vm-spec.ts";
import { printJson, printLine } from "../../output/stdout.ts";
import { shellQuote } from "../../output/shell-quote.ts";
import { toVmSpec } from "../../vm-spec.ts";

export default class VmDebug extends SilkCommand {
  static override summary = "print the command line that would start such a VM; nothing is made";
  static override description =
    "Takes what `silk vm create` takes. Before it stand the commands that make the directories and the disks that it names and silk would make. All are quoted for a shell; with --json the command line alone, as an array of words.";
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
    const commands = await open.engine.launchCommands(spec, open.call());
    if (flags.json) printJson(commands.at(-1));
    else for (const words of commands) printLine(words.map(shellQuote).join(" "));
  }
}

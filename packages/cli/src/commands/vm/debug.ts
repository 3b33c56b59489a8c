import { SilkCommand } from "../../base-command.ts";
import { openEngine } from "../../engine.ts";
import { maybeImage } from "../../flags/image-args.ts";
import { vmSpecFlags } from "../../flags/vm-spec.ts";
import { printJson, printLine } from "../../output/stdout.ts";
import { shellQuote } from "../../output/shell-quote.ts";
import { imageAndCommand } from "../../run/image-last.ts";
import { readVmSpec } from "../../vm-spec.ts";

export default class VmDebug extends SilkCommand {
  static override summary = "print the command line that would start such a VM; nothing is made";
  static override description =
    "Takes what `silk vm create` takes. Before it stand the commands that make the directories and the disks that it names and silk would make. An image must be here. The seed of a cloud image (cidata), and the disk that tells a container what to run, only silk can make: they are left out. All are quoted for a shell; with --json the command line alone, as an array of words.";
  static override usage = [
    "<%= command.id %> [FLAGS] IMAGE [COMMAND...]",
    "<%= command.id %> (--kernel FILE | --firmware FILE) [FLAGS]",
  ];
  static override strict = false;
  static override examples = [
    { description: "a VM of an image that is here", command: "silk vm debug ghcr.io/acme/web:1.4" },
    {
      description: "see how a VM would be started",
      command: "silk vm debug --kernel vmlinux --disk root.raw --cpus 2",
    },
  ];
  static override args = maybeImage;
  static override flags = vmSpecFlags;

  async run(): Promise<void> {
    const { flags } = await this.parse(VmDebug);
    const image = imageAndCommand(this.argv);
    const { spec } = await readVmSpec(flags, image);
    await using open = await openEngine(flags, this.config);
    const commands = await open.engine.launchCommands(spec, open.call());
    if (flags.json) printJson(commands.at(-1));
    else for (const words of commands) printLine(words.map(shellQuote).join(" "));
  }
}

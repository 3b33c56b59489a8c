import { resolve } from "node:path";
import { directory } from "@oclif/core/args";
import { SilkCommand } from "../../base-command.ts";
import { openChange } from "../../plugins/open-change.ts";

export default class PluginsLink extends SilkCommand {
  static override summary = "use a plugin where it is, while you write it";
  static override description =
    "Nothing is copied, installed or built: what the directory holds when a command runs is what is used. Also what is broken can be linked, since it is going to be mended; `silk plugins inspect` says what is wrong. `silk plugins uninstall` undoes it, and leaves the directory as it is.";
  static override examples = [
    { description: "the directory that you are in", command: "silk plugins link" },
    { description: "another one", command: "silk plugins link ~/src/silk-fast" },
  ];
  static override args = {
    dir: directory({ description: "the package's directory", default: ".", ignoreStdin: true }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PluginsLink);
    const [{ linkPlugin }, { placedLine }, { print, printJson }] = await Promise.all([
      import("../../plugins/install.ts"),
      import("../../plugins/placed-line.ts"),
      import("../../output/stdout.ts"),
    ]);
    let placed: Awaited<ReturnType<typeof linkPlugin>>;
    {
      using change = await openChange(flags, this.config);
      placed = await linkPlugin(change, resolve(args.dir));
    }
    if (flags.json) printJson(placed);
    else print(`${placedLine(placed)}\n`);
  }
}

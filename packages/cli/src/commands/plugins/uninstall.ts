import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { SilkCommand } from "../../base-command.ts";
import { somePlugins } from "../../flags/plugin-args.ts";
import { openChange } from "../../plugins/open-change.ts";

export default class PluginsUninstall extends SilkCommand {
  static override aliases = ["plugins rm", "plugins remove", "plugins unlink"];
  static override summary = "take plugins away and print their names";
  static override description =
    "VMs of a backend that goes with its plugin stay in the store, and can be used again once the plugin is back. The directory of a plugin that was linked stays as it is.";
  static override usage = "<%= command.id %> PLUGIN...";
  static override examples = [
    { description: "one plugin", command: "silk plugins uninstall @acme/silk-fast" },
    {
      description: "all of them",
      command: "silk plugins uninstall $(silk plugins list --quiet)",
    },
  ];
  static override args = somePlugins;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PluginsUninstall);
    const [{ removePlugin }, { eachPlugin, printPlugins }] = await Promise.all([
      import("../../plugins/install.ts"),
      import("../../plugins/plugin-batch.ts"),
    ]);
    let result: Awaited<ReturnType<typeof eachPlugin<string>>>;
    {
      using change = await openChange(flags, this.config);
      result = await eachPlugin(args.plugin, (ref) =>
        removePlugin(change, isPath(ref) ? resolve(ref) : ref),
      );
    }
    printPlugins(result, flags.json, (name) => name);
  }
}

function isPath(ref: string): boolean {
  return /^\.{0,2}(\/|$)/.test(ref) && existsSync(ref);
}

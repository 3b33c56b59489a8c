import { SilkCommand } from "../../base-command.ts";
import { CliError } from "../../cli-error.ts";
import { somePlugins } from "../../flags/plugin-args.ts";
import { inspectEach } from "../../inspect-each.ts";
import { type PluginView, renderPlugin, toPluginView } from "../../plugins/plugin-view.ts";
import { surveyHere } from "../../plugins/survey-here.ts";

export default class PluginsInspect extends SilkCommand {
  static override summary = "show everything about plugins, and what is wrong with them";
  static override description =
    "Each plugin is loaded to see. With --json one plugin is an object, several are an array in the order of the command line; what is wrong with one stands in its `problems`.";
  static override usage = "<%= command.id %> PLUGIN...";
  static override examples = [
    { description: "a plugin of yours", command: "silk plugins inspect @acme/silk-fast" },
    { description: "one that comes with silk", command: "silk plugins inspect @silkvm/network" },
    {
      description: "its hooks, for a program",
      command: "silk plugins inspect @acme/silk-fast --json | jq .brings.hooks",
    },
  ];
  static override args = somePlugins;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PluginsInspect);
    const plugins = (await surveyHere(flags, this.config)).map(toPluginView);
    await inspectEach(args.plugin, flags.json, async (ref) => find(plugins, ref), renderPlugin);
  }
}

function find(plugins: readonly PluginView[], ref: string): PluginView {
  const found = plugins.find(({ name, root }) => name === ref || root === ref);
  if (found !== undefined) return found;
  throw new CliError(`there is no plugin ${JSON.stringify(ref)}`, {
    code: "PLUGIN_NOT_FOUND",
    kind: "not-found",
    hint: `There are ${plugins.map(({ name }) => name).join(", ")}.`,
  });
}

import { SilkCommand } from "../../base-command.ts";
import { anyPlugins } from "../../flags/plugin-args.ts";
import { openChange } from "../../plugins/open-change.ts";

export default class PluginsUpdate extends SilkCommand {
  static override summary =
    "install plugins anew from where they are from, and print their versions";
  static override description =
    "A name without a version, or with a tag, is the newest of that; a tarball or a git repository is fetched again. One that is worse than what is there, because it is broken or for another silk, is refused, and what is there stays. Linked plugins are left as they are.";
  static override examples = [
    { description: "all of them", command: "silk plugins update" },
    { description: "one", command: "silk plugins update @acme/silk-fast" },
  ];
  static override usage = "<%= command.id %> [PLUGIN...]";
  static override args = anyPlugins;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PluginsUpdate);
    const [{ findEntry, installPlugin }, { eachPlugin, printPlugins }, list, { placedLine }] =
      await Promise.all([
        import("../../plugins/install.ts"),
        import("../../plugins/plugin-batch.ts"),
        import("../../plugins/plugin-list.ts"),
        import("../../plugins/placed-line.ts"),
      ]);
    let result: Awaited<ReturnType<typeof eachPlugin<Awaited<ReturnType<typeof installPlugin>>>>>;
    {
      using change = await openChange(flags, this.config);
      const listed = await list.readPluginList(change.host.files, this.config.dataDir);
      const installed = listed.filter(({ spec }) => spec !== undefined);
      const wanted = args.plugin ?? installed.map(({ name }) => name);
      result = await eachPlugin(wanted, (ref) => {
        const { name, spec } = findEntry(installed, ref);
        change.tell(`updating ${name}`);
        return installPlugin(change, spec as string, false);
      });
    }
    printPlugins(result, flags.json, placedLine);
  }
}

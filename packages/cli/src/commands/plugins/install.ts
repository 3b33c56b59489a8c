import { string } from "@oclif/core/args";
import { boolean } from "@oclif/core/flags";
import { SilkCommand } from "../../base-command.ts";
import { openChange } from "../../plugins/open-change.ts";

export default class PluginsInstall extends SilkCommand {
  static override aliases = ["plugins add"];
  static override summary = "install plugins, for you and not for other users";
  static override description =
    "npm fetches a plugin with what it depends on into a directory of its own. It is loaded there, and what is wrong with it is told, before silk knows of it: what fails changes nothing. A plugin's code runs with your rights: install what you trust.";
  static override usage = "<%= command.id %> PLUGIN...";
  static override examples = [
    { description: "from the registry", command: "silk plugins install @acme/silk-fast" },
    { description: "one version", command: "silk plugins install @acme/silk-fast@1.2.0" },
    { description: "a tarball that npm pack has made", command: "silk plugins install ./fast.tgz" },
    {
      description: "from git",
      command: "silk plugins install git+https://git.example.org/acme/silk-fast.git#v1.2.0",
    },
  ];
  static override args = {
    plugin: string({
      description: "a name, name@version, a tarball, a directory, or a git repository",
      required: true,
      multiple: true,
      ignoreStdin: true,
    }),
  };
  static override flags = {
    force: boolean({
      char: "f",
      description: "also where it is broken, or brings what another plugin brings",
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PluginsInstall);
    const [{ installPlugin }, { eachPlugin, printPlugins }, { toNpmSpec }, { placedLine }] =
      await Promise.all([
        import("../../plugins/install.ts"),
        import("../../plugins/plugin-batch.ts"),
        import("../../plugins/spec.ts"),
        import("../../plugins/placed-line.ts"),
      ]);
    let result: Awaited<ReturnType<typeof eachPlugin<Awaited<ReturnType<typeof installPlugin>>>>>;
    {
      using change = await openChange(flags, this.config);
      result = await eachPlugin(args.plugin, (typed) => {
        change.tell(`installing ${typed}`);
        return installPlugin(change, toNpmSpec(typed, process.cwd()), flags.force);
      });
    }
    printPlugins(result, flags.json, placedLine);
  }
}

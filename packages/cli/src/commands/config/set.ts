import { string } from "@oclif/core/args";
import { SilkCommand } from "../../base-command.ts";
import { changeConfigFile, readSettings, requireSetting } from "../../config-file.ts";
import type { GlobalFlags } from "../../flags/global.ts";
import { loadPlugins } from "../../plugins/load-plugins.ts";
import { say, warn } from "../../output/stderr.ts";
import { printJson } from "../../output/stdout.ts";

export default class ConfigSet extends SilkCommand {
  static override summary = "write a setting to the configuration file";
  static override description =
    "The value is checked first, and the file is replaced as a whole. Lists are written with commas; a relative path is written as an absolute one. The environment and the flags stay stronger.";
  static override examples = [
    {
      description: "another VMM program",
      command: "silk config set chBinary /opt/ch/cloud-hypervisor",
    },
    { description: "a list", command: "silk config set plugins @acme/silk-fast,@acme/silk-audit" },
  ];
  static override args = {
    key: string({ description: "name of the setting", required: true, ignoreStdin: true }),
    value: string({ description: "its new value", required: true, ignoreStdin: true }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ConfigSet);
    const key = await requireSetting(args.key);
    const { absolutePaths, checkSetting, parseSetting } = await import("@silkvm/core");
    const typed = parseSetting(key, args.value);
    checkSetting(key, typed);
    // What is relative here would be relative to something else wherever it is read.
    const value = absolutePaths({ [key]: typed }, process.cwd())[key];
    const path = await changeConfigFile(flags, (settings) => ({ ...settings, [key]: value }));
    if (key === "backend") await this.#warnOfUnknown(String(value), flags);
    if (flags.json) printJson({ key, value, path });
    else say(`Written to ${path}.`);
  }

  /** It may come with a plugin that is installed later. */
  async #warnOfUnknown(backend: string, flags: GlobalFlags): Promise<void> {
    const { config } = await readSettings(flags);
    const plugins = await loadPlugins(this.config, config);
    const known = plugins.flatMap(({ backends = [] }) => backends.map(({ name }) => name));
    if (backend === "auto" || known.includes(backend)) return;
    warn(`no plugin brings a backend "${backend}" yet; there are auto, ${known.join(", ")}`);
  }
}

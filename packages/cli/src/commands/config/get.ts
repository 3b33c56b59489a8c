import { string } from "@oclif/core/args";
import { SilkCommand } from "../../base-command.ts";
import { readSettings, requireSetting } from "../../config-file.ts";
import { printJson, printLine } from "../../output/stdout.ts";
import { settingText } from "../../setting-text.ts";

export default class ConfigGet extends SilkCommand {
  static override summary = "print the value of a setting";
  static override examples = [
    { description: "where VMs are kept", command: "silk config get rootDir" },
  ];
  static override args = {
    key: string({ description: "name of the setting", required: true, ignoreStdin: true }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ConfigGet);
    const { config, origins } = await readSettings(flags);
    const key = await requireSetting(args.key);
    if (flags.json) printJson({ key, value: config[key], origin: origins[key] });
    else printLine(settingText(config[key]));
  }
}

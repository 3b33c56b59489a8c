import { string } from "@oclif/core/args";
import { SilkCommand } from "../../base-command.ts";
import { changeConfigFile, requireSetting } from "../../config-file.ts";
import { say } from "../../output/stderr.ts";
import { printJson } from "../../output/stdout.ts";

export default class ConfigUnset extends SilkCommand {
  static override summary = "take a setting out of the configuration file";
  static override examples = [
    { description: "back to the default", command: "silk config unset chBinary" },
  ];
  static override args = {
    key: string({ description: "name of the setting", required: true, ignoreStdin: true }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ConfigUnset);
    const key = await requireSetting(args.key);
    const path = await changeConfigFile(flags, ({ [key]: _removed, ...rest }) => rest);
    if (flags.json) printJson({ key, path });
    else say(`Written to ${path}.`);
  }
}

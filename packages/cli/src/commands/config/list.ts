import { SilkCommand } from "../../base-command.ts";
import { readSettings } from "../../config-file.ts";
import { say } from "../../output/stderr.ts";
import { print, printJson, terminalWidth } from "../../output/stdout.ts";
import { type Column, renderTable } from "../../output/table.ts";
import { settingText } from "../../setting-text.ts";

interface Setting {
  readonly key: string;
  readonly value: unknown;
  readonly origin: string;
}

const columns: readonly Column<Setting>[] = [
  { header: "SETTING", cell: ({ key }) => key },
  { header: "VALUE", cell: ({ value }) => settingText(value) || "-", shrinkTo: 12 },
  { header: "ORIGIN", cell: ({ origin }) => origin },
];

export default class ConfigList extends SilkCommand {
  static override summary = "show every setting, its value and where that comes from";
  static override description =
    "A flag is stronger than the environment, the environment than the file, the file than the default.";
  static override examples = [
    { description: "for a person", command: "silk config list" },
    { description: "for a program", command: "silk config list --json" },
  ];

  async run(): Promise<void> {
    const { flags } = await this.parse(ConfigList);
    const { config, origins, path } = await readSettings(flags);
    const settings = Object.entries(config).map(([key, value]) => ({
      key,
      value,
      origin: origins[key as keyof typeof origins],
    }));
    if (flags.json) return printJson(settings);
    print(renderTable(columns, settings, { width: terminalWidth() }));
    if (process.stdout.isTTY) say(`The file is ${path}.`);
  }
}

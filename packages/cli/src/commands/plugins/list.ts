import { boolean } from "@oclif/core/flags";
import { SilkCommand } from "../../base-command.ts";
import { hasColor } from "../../output/color.ts";
import { say } from "../../output/stderr.ts";
import { print, printJson, terminalWidth } from "../../output/stdout.ts";
import { renderPluginList, toPluginView } from "../../plugins/plugin-view.ts";
import { surveyHere } from "../../plugins/survey-here.ts";

export default class PluginsList extends SilkCommand {
  static override aliases = ["plugins ls", "plugins"];
  static override summary = "list the plugins, what they bring, and what is wrong with them";
  static override description =
    'Each plugin is loaded to see. FROM says how it has come: installed, linked, or configured (by the setting "plugins"). STATUS is "broken" where it is left out, and "in part" where something of it is; the lines below the table say why.';
  static override examples = [
    { description: "those that were added", command: "silk plugins list" },
    { description: "also those that come with silk", command: "silk plugins list --all" },
    {
      description: "the names of those that are broken",
      command: "silk plugins list --json | jq -r '.[] | select(.usable | not).name'",
    },
  ];
  static override flags = {
    all: boolean({ char: "a", description: "also those that come with silk" }),
    quiet: boolean({ char: "q", description: "print names only" }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(PluginsList);
    const { all, json, quiet } = flags;
    const found = await surveyHere(flags, this.config);
    const views = found.filter(({ origin }) => all || origin !== "silk").map(toPluginView);
    const names = views.map(({ name }) => name);
    if (json) return printJson(quiet ? names : views);
    if (quiet) return print(names.map((name) => `${name}\n`).join(""));
    print(renderPluginList(views, { width: terminalWidth(), color: hasColor(process.stdout) }));
    if (views.length === 0)
      say("There is none besides those that come with silk. To make one: silk plugins create NAME");
  }
}

import { SilkCommand } from "../../base-command.ts";
import { openEngine } from "../../engine.ts";
import { specStatics } from "../../flags/from-spec.ts";
import { parseFilters } from "../../list-filter.ts";
import { listSpec } from "../../list-spec.ts";
import { renderVmList } from "../../list-view.ts";
import { hasColor } from "../../output/color.ts";
import { print, terminalWidth } from "../../output/stdout.ts";

const { aliases, summary, description, examples, flags: specFlags } = specStatics(listSpec);

export default class VmList extends SilkCommand {
  static override aliases = aliases;
  static override summary = summary;
  static override description = description;
  static override examples = examples;
  static override flags = specFlags;

  async run(): Promise<void> {
    const { flags } = await this.parse(VmList);
    const matches = parseFilters(flags.filter ?? []);
    await using open = await openEngine(flags, this.config);
    const vms = await open.engine.list({ ...open.call(), all: flags.all });
    print(
      renderVmList(vms.filter(matches), {
        json: flags.json,
        quiet: flags.quiet,
        pretty: process.stdout.isTTY,
        nowMs: Date.now(),
        width: terminalWidth(),
        color: hasColor(process.stdout),
      }),
    );
  }
}

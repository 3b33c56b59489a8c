import { SilkCommand } from "../../base-command.ts";
import { openEngine } from "../../engine.ts";
import { modeFlags } from "../../flags/load.ts";
import { oneVm } from "../../flags/vm-args.ts";
import { toLoadOptions } from "../../load-options.ts";
import { limitsLine, toLoadedView } from "../../load-view.ts";
import { printJson, printLine } from "../../output/stdout.ts";

export default class VmWake extends SilkCommand {
  static override summary = "let a VM that hibernates go on where it was, and print its id";
  static override description =
    "`silk vm start --cold` boots it from its disks instead, and what was in its memory is lost. With --json also how it got its memory, and how long each part took.";
  static override examples = [
    { description: "go on", command: "silk vm wake web" },
    {
      description: "at once, whatever the size of its memory",
      command: "silk vm wake web --restore-mode cow",
    },
  ];
  static override args = oneVm;
  static override flags = modeFlags;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(VmWake);
    await using open = await openEngine(flags, this.config);
    const options = { ...open.change(`waking ${args.vm}`), ...toLoadOptions(flags) };
    const view = toLoadedView(await open.engine.wake(args.vm, options));
    if (flags.json) printJson(view);
    else printLine(view.id);
    const limits = limitsLine(view);
    if (limits !== undefined) open.note(limits);
  }
}

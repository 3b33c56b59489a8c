import { SilkCommand } from "../../../base-command.ts";
import { openEngine } from "../../../engine.ts";
import { oneVm } from "../../../flags/vm-args.ts";
import { fsView, renderFsList } from "../../../fs-list-view.ts";
import { print, printJson, terminalWidth } from "../../../output/stdout.ts";

export default class VmFsList extends SilkCommand {
  static override aliases = ["vm fs ls"];
  static override summary = "list the directories that are shared with a VM";
  static override description =
    "STATE is `attached`; `detaching` where the guest has been asked for it and has not let go yet; `detached` where the VM gets it again when it is started. SERVER is what its virtiofsd does: `serving`, or `ended`, where the guest gets no answer any more; then detach it and attach it again. ADDRESS is its PCI address in the guest.";
  static override usage = "<%= command.id %> VM";
  static override examples = [
    { description: "for a person", command: "silk vm fs list web" },
    {
      description: "the directories, for a script",
      command: "silk vm fs ls web --json | jq -r '.[].dir'",
    },
  ];
  static override args = oneVm;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(VmFsList);
    await using open = await openEngine(flags, this.config);
    const { fsList } = await import("@silkvm/virtiofs");
    const shares = await fsList(open.engine, args.vm, open.call());
    if (flags.json) printJson(shares.map(fsView));
    else print(renderFsList(shares, { width: terminalWidth() }));
  }
}

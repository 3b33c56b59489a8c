import { SilkCommand } from "../../../base-command.ts";
import { openEngine } from "../../../engine.ts";
import { oneVm } from "../../../flags/vm-args.ts";
import { renderNicList } from "../../../nic-view.ts";
import { print, printJson, terminalWidth } from "../../../output/stdout.ts";

export default class VmNetList extends SilkCommand {
  static override aliases = ["vm net ls"];
  static override summary = "list the NICs of a VM";
  static override description =
    "STATE is attached, leaving (it was removed, and the guest has not let go of it), missing (the VMM has lost it), or detached (the VM does not run). ADDRESS is what its network gave it; without one the guest asks by DHCP.";
  static override usage = "<%= command.id %> VM";
  static override examples = [
    { description: "the NICs of web", command: "silk vm net list web" },
    { description: "their TAPs", command: "silk vm net list web --json | jq -r '.[].tap'" },
  ];
  static override args = oneVm;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(VmNetList);
    await using open = await openEngine(flags, this.config);
    const nics = await open.engine.nics.list(args.vm, open.call());
    if (flags.json) printJson(nics);
    else print(renderNicList(nics, terminalWidth()));
  }
}

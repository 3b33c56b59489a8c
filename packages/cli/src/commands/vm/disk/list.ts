import { SilkCommand } from "../../../base-command.ts";
import { diskView, renderDiskList } from "../../../disk-list-view.ts";
import { openEngine } from "../../../engine.ts";
import { oneVm } from "../../../flags/vm-args.ts";
import { print, printJson, terminalWidth } from "../../../output/stdout.ts";

export default class VmDiskList extends SilkCommand {
  static override aliases = ["vm disk ls"];
  static override summary = "list the disks that were attached to a VM";
  static override description =
    "Those that it was made with are in `silk vm inspect`. STATE is `attached`; `detaching` where the guest has been asked for it and has not let go yet; `detached` where the VM gets it again when it is started. ADDRESS is its PCI address in the guest.";
  static override usage = "<%= command.id %> VM";
  static override examples = [
    { description: "for a person", command: "silk vm disk list web" },
    {
      description: "the files, for a script",
      command: "silk vm disk ls web --json | jq -r '.[].path'",
    },
  ];
  static override args = oneVm;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(VmDiskList);
    await using open = await openEngine(flags, this.config);
    const { diskKind } = await import("@silkvm/storage");
    const disks = await open.engine.devices.list(args.vm, diskKind, open.call());
    if (flags.json) printJson(disks.map(diskView));
    else print(renderDiskList(disks, { width: terminalWidth() }));
  }
}

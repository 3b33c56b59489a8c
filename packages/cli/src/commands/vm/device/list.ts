import { SilkCommand } from "../../../base-command.ts";
import { deviceView, renderDeviceList } from "../../../device-list-view.ts";
import { openEngine } from "../../../engine.ts";
import { oneVm } from "../../../flags/vm-args.ts";
import { print, printJson, terminalWidth } from "../../../output/stdout.ts";

export default class VmDeviceList extends SilkCommand {
  static override aliases = ["vm device ls"];
  static override summary = "list the PCI devices of the host that a VM has";
  static override description =
    "STATE is `attached`, or `detaching` where the guest has been asked for it and has not let go yet. PCI is its address on the host, ADDRESS the one in the guest. BOUND is what --bind took from the host's drivers, to give it back.";
  static override usage = "<%= command.id %> VM";
  static override examples = [
    { description: "for a person", command: "silk vm device list web" },
    {
      description: "the ids, for a script",
      command: "silk vm device ls web --json | jq -r '.[].id'",
    },
  ];
  static override args = oneVm;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(VmDeviceList);
    await using open = await openEngine(flags, this.config);
    const { deviceList } = await import("@silkvm/vfio");
    const devices = await deviceList(open.engine, args.vm, open.call());
    if (flags.json) printJson(devices.map(deviceView));
    else print(renderDeviceList(devices, { width: terminalWidth() }));
  }
}

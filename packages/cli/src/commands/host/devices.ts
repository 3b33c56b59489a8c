import { boolean } from "@oclif/core/flags";
import { SilkCommand } from "../../base-command.ts";
import { openEngine } from "../../engine.ts";
import { hostDeviceView, renderHostDevices } from "../../host-devices-view.ts";
import { print, printJson, terminalWidth } from "../../output/stdout.ts";

export default class HostDevices extends SilkCommand {
  static override summary = "list the PCI devices of this host, and which of them a VM can have";
  static override description =
    "USABLE is `yes`, `with --bind` where a driver of the host has the device or one of its IOMMU group, or `no` and why: it has no IOMMU group, the host uses it (a mounted disk, swap, LVM, the default route), or another process has it. GROUP is its IOMMU group, which goes to one VM as a whole. Bridges are left out without --all. What other users have open is seen by root alone.";
  static override examples = [
    { description: "what there is", command: "silk host devices" },
    {
      description: "the addresses of all that can be handed over, for a script",
      command: `silk host devices --json | jq -r '.[] | select(.usable != "no").address'`,
    },
  ];
  static override flags = {
    all: boolean({ char: "a", description: "bridges too" }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(HostDevices);
    await using open = await openEngine(flags, this.config);
    const { hasIommu, listHostDevices } = await import("@silkvm/vfio");
    const { host } = open.engine;
    const all = await listHostDevices(host);
    const devices = flags.all ? all : all.filter(({ isBridge }) => !isBridge);
    if (flags.json) printJson(devices.map(hostDeviceView));
    else print(renderHostDevices(devices, { width: terminalWidth() }));
    if (!(await hasIommu(host)))
      open.note(
        "This host has no IOMMU, or it is off: no device can be handed over. See: silk doctor",
      );
  }
}

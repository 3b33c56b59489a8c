import { boolean, string } from "@oclif/core/flags";
import { SilkCommand } from "../../../base-command.ts";
import { deviceView } from "../../../device-list-view.ts";
import { openEngine } from "../../../engine.ts";
import { oneVm } from "../../../flags/vm-args.ts";
import { printJson, printLine } from "../../../output/stdout.ts";

export default class VmDeviceAttach extends SilkCommand {
  static override summary = "hand a PCI device of the host over to a running VM and print its id";
  static override description =
    "The device goes with its whole IOMMU group (VFIO), which must be bound to the driver vfio-pci; --bind does that, and gives each device back to the driver that it had when it is detached, or the VM ends in whatever way. One that the host uses (a mounted disk, the default route) is refused. A VM with such a device can be neither saved nor hibernated, and does not get it again when it is started. `silk host devices` shows what there is.";
  static override usage = "<%= command.id %> VM --pci ADDRESS [FLAGS]";
  static override examples = [
    {
      description: "take a disk from the host for as long as the VM wants it",
      command: "silk vm device attach web --pci 01:00.0 --bind",
    },
    {
      description: "one that is bound to vfio-pci already, under a name of yours",
      command: "silk vm device attach web --pci 0000:01:00.0 --id gpu",
    },
    {
      description: "by its path",
      command: "silk vm device attach web --pci /sys/bus/pci/devices/0000:01:00.0 --bind",
    },
  ];
  static override args = oneVm;
  static override flags = {
    pci: string({
      description: "01:00.0, 0000:01:00.0, or its path below /sys/bus/pci/devices/",
      helpValue: "ADDRESS",
      required: true,
    }),
    id: string({
      description: "id of the device in the VM [default: silk-vfio- and the address]",
      helpValue: "ID",
    }),
    bind: boolean({
      description: "bind it and its group to vfio-pci, and give them back afterwards (as root)",
    }),
    force: boolean({
      description: "with --bind: take it though the host uses it",
      dependsOn: ["bind"],
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(VmDeviceAttach);
    const { pci, id, bind, force, json } = flags;
    const { parsePciAddress, vfioKind } = await import("@silkvm/vfio");
    // A wrong address is told before anything else, whatever the VM is doing.
    parsePciAddress(pci);
    await using open = await openEngine(flags, this.config);
    const options = open.change(`attaching ${pci} to ${args.vm}`);
    const request = { pci, id, bind, force };
    const device = await open.engine.devices.attach(args.vm, vfioKind, request, options);
    if (json) printJson(deviceView(device));
    else printLine(device.id);
  }
}

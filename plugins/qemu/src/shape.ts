import { bootDisks, type Host, type VmRecord } from "@silkvm/core";
import type { AccelChoice } from "./accel.ts";
import { blockDevices } from "./disks.ts";
import type { Machine } from "./machine.ts";
import { uefiVars } from "./uefi-vars.ts";
import { placedDisks, placedNics, type VmShape } from "./vm-args.ts";

const vhostPath = "/dev/vhost-net";

/** How a VM that boots is to be told to QEMU on this host. */
export async function shapeOf(
  machine: Machine,
  vm: VmRecord,
  { accel, buffered }: { readonly accel: AccelChoice["accel"]; readonly buffered: boolean },
): Promise<VmShape> {
  const { host, settings } = machine;
  const disks = bootDisks(vm);
  return {
    machine: settings.qemuMachine,
    accel,
    disks: placedDisks(disks),
    nics: placedNics(vm.nics),
    blockDevices: await blockDevices(host, disks),
    vhost: await hasVhost(host),
    buffered,
    varsPath: (await uefiVars(machine, vm))?.path,
    incoming: false,
  };
}

/** Whether this user may have the kernel move the packets of NICs. */
export async function hasVhost({ files }: Host): Promise<boolean> {
  return (await files.canAccess(vhostPath, "read")) && (await files.canAccess(vhostPath, "write"));
}

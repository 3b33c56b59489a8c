import type { ReportedVmConfig, VmInfo } from "@silkvm/ch-client";
import type { SnapshotDisk, VmRecord } from "@silkvm/core";
import { cannotSave, savedDisks } from "@silkvm/storage";
import { checkAllowed } from "./config-allowed.ts";
import type { Machine } from "./machine.ts";
import { isObject, type JsonObject, withKey, withoutKey } from "./snapshot-documents.ts";

/** Devices that keep a part of their state outside of the VMM, where no snapshot gets at it. */
const outside: readonly (readonly [keyof ReportedVmConfig, string])[] = [
  ["devices", "a PCI device of the host (VFIO)"],
  ["user_devices", "a device in another process (vfio-user)"],
  ["fs", "a shared directory (virtiofs)"],
  ["generic_vhost_user", "a device in another process (vhost-user)"],
  ["vdpa", "a device of the host (vDPA)"],
  ["pmem", "a file of the host as memory (pmem)"],
  ["vsock", "a vsock device"],
  ["tpm", "a TPM in another process"],
];

/**
 * What of a VM's disks goes into a snapshot, if the VM can be saved at all.
 * @returns the disks that are attached, in the guest's order, with names for the content of those that are saved
 * @throws SilkError `SNAPSHOT_UNSUPPORTED` that names what stands in the way
 */
export async function disksToSave(
  machine: Machine,
  vm: VmRecord,
  { config, device_tree: tree }: VmInfo,
): Promise<readonly SnapshotDisk[]> {
  checkDevices(vm, config);
  checkLeaving(vm, config, Object.keys(tree ?? {}));
  const attached = (config.disks ?? []).map((disk) => {
    const known = vm.disks.find(({ path }) => path === disk.path);
    if (known !== undefined && !disk.vhost_user) return known;
    throw cannotSave(vm, `the disk ${disk.path ?? disk.id ?? ""} was added while it runs`, {
      hint: "Detach it first.",
    });
  });
  return await savedDisks(machine.host, vm, attached);
}

function checkDevices(vm: VmRecord, config: ReportedVmConfig): void {
  for (const [section, what] of outside) {
    const found = config[section];
    if (found === undefined || (Array.isArray(found) && found.length === 0)) continue;
    const first: unknown = Array.isArray(found) ? found[0] : found;
    const id = isObject(first) && typeof first["id"] === "string" ? ` "${first["id"]}"` : "";
    throw cannotSave(vm, `it has ${what}${id}, which cannot be saved`, {
      hint: "Detach the device first.",
    });
  }
  const nics = config.net ?? [];
  const foreign = nics.find((nic) => nic.vhost_user);
  if (foreign !== undefined)
    throw cannotSave(vm, `its NIC "${foreign.id ?? ""}" is served by another process (vhost-user)`);
  if (nics.length !== vm.nics.length)
    throw cannotSave(vm, `it has ${nics.length} NICs, and silk knows of ${vm.nics.length}`);
  // The rest of what a restore would refuse. A mapped memory file is made memory like any other.
  const { memory } = config as unknown as { readonly memory: JsonObject };
  checkAllowed(withKey(config as unknown as JsonObject, "memory", withoutKey(memory, "zones")));
}

const removable = ["disks", "net", "fs", "pmem", "devices", "user_devices"] as const;
const pciSide = "_virtio-pci-";

/** The configuration forgets a device at once, and the state keeps it until the guest has let go: they would not go together. */
function checkLeaving(vm: VmRecord, config: ReportedVmConfig, nodes: readonly string[]): void {
  const known = new Set(
    removable.flatMap((section) => (config[section] ?? []).map(({ id }) => id)),
  );
  if (config.vsock !== undefined) known.add(config.vsock.id);
  const leaving = nodes
    .filter((node) => node.startsWith(pciSide))
    .map((node) => node.slice(pciSide.length))
    // The names of the VMM's own begin with two underscores.
    .find((id) => !id.startsWith("__") && !known.has(id));
  if (leaving !== undefined)
    throw cannotSave(vm, `its guest has not let go of the device ${leaving} yet`, {
      hint: vm.leavingNics?.some(({ deviceId }) => deviceId === leaving)
        ? `Wait for that: silk vm net set ${vm.name} --nics ${vm.nics.length}`
        : "Detach it again, to wait for that.",
    });
}

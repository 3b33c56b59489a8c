import type { ReportedVmConfig, VmInfo } from "@silkvm/ch-client";
import type { SnapshotDisk, VmRecord } from "@silkvm/core";
import { readImageHeader } from "@silkvm/storage";
import { checkAllowed } from "./config-allowed.ts";
import { imagesBelow } from "./images-below.ts";
import type { Machine } from "./machine.ts";
import { isObject, type JsonObject, withKey, withoutKey } from "./snapshot-documents.ts";
import { snapshotUnsupported } from "./snapshot-errors.ts";
import { diskFileNames } from "./snapshot-names.ts";

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
  const names = diskFileNames(attached);
  const disks: SnapshotDisk[] = [];
  for (const [index, disk] of attached.entries()) {
    const isSaved = !disk.readonly || disk.role === "cidata";
    if (!isSaved) disks.push(disk);
    else {
      await checkCopyable(machine, vm, disk.path);
      disks.push({ ...disk, file: names[index] });
    }
  }
  return disks;
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

async function checkCopyable({ host }: Machine, vm: VmRecord, path: string): Promise<void> {
  const kind = (await host.files.stat(path))?.kind;
  if (kind !== "file")
    throw cannotSave(vm, `its disk ${path} is ${kind === undefined ? "gone" : `a ${kind}`}`);
  if ((await readImageHeader(host, path)).format !== "qcow2" || !path.endsWith(".qcow2")) return;
  for await (const { path: below, isRelative } of imagesBelow(host, path)) {
    if (!isRelative) return;
    throw cannotSave(vm, `its disk ${path} names the image below it by a relative path`, {
      hint: `Name it by its full path: qemu-img rebase -u -F <format> -b ${below} ${path}`,
    });
  }
}

function cannotSave(vm: VmRecord, why: string, more: { readonly hint?: string } = {}): Error {
  return snapshotUnsupported(`the VM ${vm.name} cannot be saved: ${why}`, {
    ...more,
    details: { id: vm.id },
  });
}

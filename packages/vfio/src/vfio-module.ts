import { type CallOptions, type Host, SilkError } from "@silkvm/core";
import { groupNode } from "./iommu-group.ts";
import { pciPath } from "./pci-address.ts";
import { isVfioDriver, type PciDevice } from "./pci-device.ts";

const driver = "/sys/bus/pci/drivers/vfio-pci";
const iommuDriver = "/sys/module/vfio_iommu_type1";
const modules = ["vfio-pci", "vfio_iommu_type1"];

/** Whether the kernel can bind devices to vfio-pci now. */
export async function isVfioLoaded({ files }: Pick<Host, "files">): Promise<boolean> {
  return (await files.stat(driver)) !== undefined;
}

/**
 * Whether this process can bind devices to vfio-pci. Makes nothing.
 * @throws SilkError `PERMISSION_DENIED`, `VFIO_UNAVAILABLE`
 */
export async function checkBindable(
  host: Host,
  members: readonly PciDevice[],
  options: CallOptions,
): Promise<void> {
  for (const { address } of members.filter((member) => !isVfioDriver(member.driver))) {
    const path = `${pciPath(address)}/driver_override`;
    if (await host.files.canAccess(path, "write")) continue;
    throw new SilkError(`this user may not bind ${address} to another driver`, {
      code: "PERMISSION_DENIED",
      kind: "denied",
      hint: "Run as root, or bind its group to vfio-pci before and leave out --bind.",
      details: { pci: address, path },
    });
  }
  if (await isVfioLoaded(host)) return;
  const problem = await modprobe(host, ["-n"], options);
  if (problem !== undefined) throw unavailable(problem);
}

/** Loads what hands devices over, where it is not there yet. @throws SilkError `VFIO_UNAVAILABLE` */
export async function loadVfio(host: Host, options: CallOptions): Promise<void> {
  if ((await isVfioLoaded(host)) && (await host.files.stat(iommuDriver)) !== undefined) return;
  const problem = await modprobe(host, [], options);
  if (problem !== undefined && !(await isVfioLoaded(host))) throw unavailable(problem);
}

/** What went wrong; undefined where nothing did. */
async function modprobe(
  host: Host,
  flags: readonly string[],
  { signal }: CallOptions,
): Promise<string | undefined> {
  try {
    const args = [...flags, "-a", ...modules];
    const { exitCode, stderr } = await host.processes.run({ command: "modprobe", args, signal });
    return exitCode === 0 ? undefined : stderr.trim() || `modprobe ended with ${exitCode}`;
  } catch (error) {
    if ((error as { code?: string }).code !== "ENOENT") throw error;
    return "there is no modprobe";
  }
}

function unavailable(problem: string): SilkError {
  return new SilkError(`the kernel's module vfio-pci cannot be loaded: ${problem}`, {
    code: "VFIO_UNAVAILABLE",
    kind: "unavailable",
    hint: "Install the kernel's modules, or a kernel with CONFIG_VFIO_PCI; and see `silk doctor`.",
    details: { module: "vfio-pci" },
  });
}

/**
 * Whether this process, and with it a VMM, may use a group.
 * @throws SilkError `PERMISSION_DENIED`, `VFIO_UNAVAILABLE`
 */
export async function checkGroupNode(host: Host, pci: string, group: number): Promise<void> {
  for (const path of ["/dev/vfio/vfio", groupNode(group)]) {
    if ((await host.files.stat(path)) === undefined)
      throw new SilkError(`there is no ${path}, though ${pci} is bound to vfio-pci`, {
        code: "VFIO_UNAVAILABLE",
        kind: "unavailable",
        hint: "Load the kernel's modules (`modprobe vfio-pci vfio_iommu_type1`); in a container, hand /dev/vfio into it.",
        details: { pci, group, path },
      });
    if ((await host.files.canAccess(path, "read")) && (await host.files.canAccess(path, "write")))
      continue;
    throw new SilkError(`this user may not use ${path}`, {
      code: "PERMISSION_DENIED",
      kind: "denied",
      hint: `Run as root, or give this user the group: chown $USER ${path}`,
      details: { pci, group, path },
    });
  }
}

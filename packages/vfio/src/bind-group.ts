import { type DeviceContext, SilkError } from "@silkvm/core";
import type { FormerDriver } from "./former-driver.ts";
import { identityOf } from "./former-driver.ts";
import { lockGroup } from "./group-lock.ts";
import { groupNode } from "./iommu-group.ts";
import { pciPath } from "./pci-address.ts";
import { isVfioDriver, type PciDevice, readPciDevice } from "./pci-device.ts";
import * as refused from "./refusals.ts";
import { loadVfio } from "./vfio-module.ts";
import type { VfioData } from "./vfio-kind.ts";

/** How long the group's file may take to appear: udev sees to its permissions. */
const nodeMs = 5_000;
const lookAgainMs = 10;

/**
 * Binds the devices that are to be taken from the host to vfio-pci. One that is bound already is fine. Whose they were has been written down
 * before, so that they are given back whatever becomes of this.
 * @throws SilkError `BIND_FAILED`, `PCI_DEVICE_NOT_FOUND`, `VFIO_UNAVAILABLE`
 */
export async function bindGroup(data: VfioData, context: DeviceContext): Promise<void> {
  const { host, signal, progress } = context;
  if (data.taken.length === 0) return;
  await using _lock = await lockGroup(host, data.group, { signal });
  await loadVfio(host, { signal });
  for (const former of data.taken) {
    signal?.throwIfAborted();
    progress(`binding ${former.address} to vfio-pci`);
    await bindToVfio(former, context);
  }
  const path = groupNode(data.group);
  const deadlineMs = host.clock.monotonicMs() + nodeMs;
  while (!(await host.files.canAccess(path, "write"))) {
    if (host.clock.monotonicMs() > deadlineMs) throw noNode(data, path);
    await host.clock.delay(lookAgainMs, { signal });
  }
}

async function bindToVfio(former: FormerDriver, { host }: DeviceContext): Promise<void> {
  const { address } = former;
  const device = await readPciDevice(host, address);
  if (device === undefined || identityOf(device) !== former.is) throw refused.notFound(address);
  if (isVfioDriver(device.driver)) return;
  try {
    if (device.driverOverride !== "vfio-pci")
      await host.files.writeInPlace(`${pciPath(address)}/driver_override`, "vfio-pci");
    if (device.driver !== undefined)
      await host.files.writeInPlace(`/sys/bus/pci/drivers/${device.driver}/unbind`, address);
    await host.files.writeInPlace("/sys/bus/pci/drivers_probe", address);
  } catch (error) {
    throw bindFailed(device, (error as Error).message, error);
  }
  if (!isVfioDriver((await readPciDevice(host, address))?.driver))
    throw bindFailed(device, "vfio-pci did not take it");
}

function bindFailed({ address, driver }: PciDevice, why: string, cause?: unknown): SilkError {
  return new SilkError(`${address} cannot be bound to vfio-pci: ${why}`, {
    code: "BIND_FAILED",
    kind: "failed",
    hint: "The kernel's log tells more: dmesg",
    details: { pci: address, driver: driver ?? null },
    cause,
  });
}

function noNode({ pci, group }: VfioData, path: string): SilkError {
  return new SilkError(`${path} does not appear, or this user may not use it`, {
    code: "VFIO_UNAVAILABLE",
    kind: "unavailable",
    hint: "In a container, hand /dev/vfio into it; elsewhere see the kernel's log: dmesg",
    details: { pci, group, path },
  });
}

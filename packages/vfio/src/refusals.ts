import { SilkError } from "@silkvm/core";
import type { PciDevice } from "./pci-device.ts";

export function notFound(pci: string): SilkError {
  return new SilkError(`this host has no PCI device ${pci}`, {
    code: "PCI_DEVICE_NOT_FOUND",
    kind: "not-found",
    hint: "`silk host devices` lists them.",
    details: { pci },
  });
}

export function bridge(pci: string): SilkError {
  return new SilkError(`${pci} is a bridge, which cannot be handed over`, {
    code: "PCI_DEVICE_UNSUITABLE",
    kind: "invalid",
    hint: "Name a device behind it: `silk host devices` lists them.",
    details: { pci },
  });
}

export function noGroup(pci: string, hostHasIommu: boolean): SilkError {
  const details = { pci };
  if (hostHasIommu)
    return new SilkError(
      `${pci} is in no IOMMU group, so nothing keeps it within a guest's memory`,
      {
        code: "NO_IOMMU",
        kind: "unsupported",
        hint: "`silk host devices` shows which devices can be handed over.",
        details,
      },
    );
  return new SilkError(`this host has no IOMMU, or it is off: ${pci} cannot be handed over`, {
    code: "NO_IOMMU",
    kind: "unsupported",
    hint: "Turn on VT-d or AMD-Vi in the firmware's settings (BIOS), boot with `intel_iommu=on iommu=pt` (AMD: `iommu=pt`) on the kernel's command line, and see `silk doctor`.",
    details,
  });
}

export function notBound({ address, driver }: PciDevice): SilkError {
  const who = driver === undefined ? "has no driver" : `belongs to the driver ${driver}`;
  return new SilkError(`${address} ${who}, and not to vfio-pci`, {
    code: "DEVICE_NOT_BOUND",
    kind: "conflict",
    hint: "Add --bind: it is bound to vfio-pci, and given back when it is detached or the VM ends.",
    details: { pci: address, driver: driver ?? null },
  });
}

export function groupNotWhole(pci: string, group: number, others: readonly PciDevice[]): SilkError {
  const names = others.map(({ address, driver }) => `${address} (${driver})`).join(", ");
  return new SilkError(
    `${pci} can only be handed over with all of its IOMMU group ${group}, and the host still has ${names}`,
    {
      code: "GROUP_NOT_WHOLE",
      kind: "conflict",
      hint: "Add --bind to bind the whole group to vfio-pci, or unbind those devices.",
      details: { pci, group, others: others.map(({ address }) => address) },
    },
  );
}

export function usedByHost(pci: string, uses: readonly string[]): SilkError {
  return new SilkError(`the host uses ${pci}: ${uses.join("; ")}`, {
    code: "DEVICE_IN_USE",
    kind: "conflict",
    hint: "Stop what uses it (unmount it, say), or add --force to take it from the host all the same.",
    details: { pci, uses },
  });
}

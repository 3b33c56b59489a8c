import { type CallOptions, type Host, type HostLock, SilkError } from "@silkvm/core";
import { pciPath } from "./pci-address.ts";

const waitMs = 60_000;

/**
 * One at a time binds the devices of a group, or gives them back, on the whole host: the lock is on the kernel's own file, and every installation
 * and every container that can write to it sees it.
 * @throws SilkError `GROUP_IN_USE`
 */
export async function lockGroup(
  host: Host,
  group: number,
  options: CallOptions,
): Promise<HostLock> {
  const [first] = await host.files.list(`/sys/kernel/iommu_groups/${group}/devices`);
  const path = `${pciPath(first ?? "")}/driver_override`;
  const lock = await host.locks.acquire(path, 0, { ...options, waitMs });
  if (lock !== undefined) return lock;
  throw new SilkError(`another process is binding the devices of IOMMU group ${group}`, {
    code: "GROUP_IN_USE",
    kind: "busy",
    hint: "Run the command again.",
    details: { group },
  });
}

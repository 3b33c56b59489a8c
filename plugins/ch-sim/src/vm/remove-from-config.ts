import type { PciCommon, VmConfig } from "../config/types.ts";

const LISTS = [
  "devices",
  "user_devices",
  "disks",
  "fs",
  "generic_vhost_user",
  "net",
  "pmem",
  "vdpa",
] as const;

/** Takes a device out of a config. Returns whether it was there. */
export function removeFromConfig(config: VmConfig, id: string): boolean {
  let removed = false;
  for (const key of LISTS) {
    const list = config[key] as PciCommon[] | undefined;
    const index = list?.findIndex((device) => device.id === id) ?? -1;
    if (index < 0) continue;
    list?.splice(index, 1);
    removed = true;
  }
  if (config.vsock?.id === id) {
    delete config.vsock;
    removed = true;
  }
  return removed;
}

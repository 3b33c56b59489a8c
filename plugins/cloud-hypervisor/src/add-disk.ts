import type { DiskData } from "@silkvm/storage";
import { toDiskConfig } from "./disk-config.ts";
import type { AddDevice } from "./hot-plug.ts";

/** Adds a raw disk to a VM that runs, tuned as the disks are that it was started with. */
export const addDisk: AddDevice<DiskData> = (client, vm, { id, data }, options) => {
  const { name: serial, ...disk } = data;
  const role = disk.readonly ? "layer" : "data";
  return client.vm.addDisk({ ...toDiskConfig({ ...disk, role, serial }, vm.config), id }, options);
};

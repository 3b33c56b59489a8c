import type { Host } from "@silkvm/core";
import type { DiskData } from "@silkvm/storage";
import { blockDevices, diskArgs, nodeOf } from "./disks.ts";
import { addDevice, type Pluggable } from "./hot-plug.ts";

/** Disks, tuned as those are that a VM was started with. */
export function diskPlug(host: Host): Pluggable<DiskData> {
  return {
    async add(monitor, vm, { id, data, port }, options) {
      const { name: serial, ...file } = data;
      const disk = {
        ...file,
        role: data.readonly ? ("layer" as const) : ("data" as const),
        serial,
      };
      const isBlockDevice = (await blockDevices(host, [disk])).has(disk.path);
      const place = { bus: port };
      const { nodes, device } = diskArgs({ disk, id, place, isBlockDevice }, vm.config);
      for (const node of nodes) await monitor.execute("blockdev-add", node, options);
      await addDevice(monitor, device, options);
    },
    afterwards: async (_monitor, id) =>
      [nodeOf(id), `${nodeOf(id)}-file`].map((node) => ({
        command: "blockdev-del",
        args: { "node-name": node },
      })),
  };
}

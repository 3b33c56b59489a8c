import { dirname } from "node:path";
import type { Host } from "@silkvm/core";
import { followLink, readKernelFile } from "../kernel-files.ts";

const classDir = "/sys/class/block";

/** A disk, a partition, or what is made of such. */
export interface BlockDevice {
  /** `nvme0n1p1`, `dm-0`. */
  readonly name: string;
  /** Its place among the devices. */
  readonly path: string;
  /** Places of the controllers that lead to it, where it has more than one. */
  readonly controllers: readonly string[];
  /** `259:1`. */
  readonly number: string;
  /** What is made of it: LVM, RAID, encryption. */
  readonly holders: readonly string[];
  /** `/dev/nvme0n1p1`. */
  readonly node: string;
}

/** All block devices of the host. */
export async function readBlockDevices({
  files,
}: Pick<Host, "files">): Promise<readonly BlockDevice[]> {
  const names = await files.list(classDir);
  const devices = await Promise.all(
    names.map(async (name): Promise<BlockDevice | undefined> => {
      const path = await followLink(files, `${classDir}/${name}`);
      if (path === undefined) return undefined;
      const number = (await readKernelFile(files, `${classDir}/${name}/dev`)) ?? "";
      const holders = await files.list(`${classDir}/${name}/holders`);
      const controllers = await controllersOf(files, path);
      return {
        name,
        path,
        controllers,
        number,
        holders,
        node: `/dev/${name.replaceAll("!", "/")}`,
      };
    }),
  );
  return devices.filter((device) => device !== undefined);
}

/** An NVMe disk that several controllers may lead to is not below any of them, but beside links to them. */
async function controllersOf(files: Host["files"], path: string): Promise<readonly string[]> {
  const parts = path.split("/");
  const at = parts.indexOf("nvme-subsystem");
  if (at === -1) return [];
  const subsystem = parts.slice(0, at + 2).join("/");
  const links = (await files.list(subsystem)).filter((name) => /^nvme\d+$/.test(name));
  const found = await Promise.all(links.map((name) => followLink(files, `${subsystem}/${name}`)));
  return found.filter((controller) => controller !== undefined);
}

/** The disks of a device, their partitions, and all that is made of them. */
export function stackOn(devicePath: string, all: readonly BlockDevice[]): readonly BlockDevice[] {
  const below = (path: string): boolean => devicePath !== "" && path.startsWith(`${devicePath}/`);
  const stack = new Set(all.filter(({ path, controllers }) => [path, ...controllers].some(below)));
  // A set that is walked also gives what is added to it on the way.
  for (const device of stack)
    for (const other of all)
      if (device.holders.includes(other.name) || dirname(other.path) === device.path)
        stack.add(other);
  return [...stack];
}

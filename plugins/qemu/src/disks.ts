import type { Disk, Host, VmConfig } from "@silkvm/core";
import { isNamedQcow2 } from "@silkvm/storage";
import type { Place } from "./layout.ts";

/** The most that QEMU takes. */
const longestQueue = 1024;
const defaultQueueSize = 512;

/** A disk as QEMU is told of it: the file, the format over it, and the device. */
export interface DiskArgs {
  /** Objects for `-blockdev` and `blockdev-add`, the lower one first. */
  readonly nodes: readonly Readonly<Record<string, unknown>>[];
  /** Object for `-device` and `device_add`. */
  readonly device: Readonly<Record<string, unknown>>;
}

export interface DiskRequest {
  readonly disk: Disk;
  readonly id: string;
  readonly place: Place;
  /** Whether the disk is a block device of the host. */
  readonly isBlockDevice: boolean;
  /** No O_DIRECT whatever the disk says: its file system does not know it. */
  readonly buffered?: boolean | undefined;
  readonly bootIndex?: number | undefined;
}

/** Which of the disks are block devices of the host. */
export async function blockDevices(
  { files }: Host,
  disks: readonly Disk[],
): Promise<ReadonlySet<string>> {
  const kinds = await Promise.all(
    disks.map(async ({ path }) => [path, (await files.stat(path))?.kind] as const),
  );
  return new Set(kinds.filter(([, kind]) => kind === "block-device").map(([path]) => path));
}

/** Whether the guest's writes go past the host's page cache. */
export function isDirect(
  { readonly, directIo }: Disk,
  { noDirectIo }: Pick<VmConfig, "noDirectIo">,
): boolean {
  return directIo ?? (!readonly && !noDirectIo);
}

export function diskArgs(
  { disk, id, place, isBlockDevice, buffered = false, bootIndex }: DiskRequest,
  config: VmConfig,
): DiskArgs {
  const { path, readonly, serial } = disk;
  const direct = !buffered && isDirect(disk, config);
  const [node, fileNode] = [nodeOf(id), `${nodeOf(id)}-file`];
  return {
    nodes: [
      {
        driver: isBlockDevice ? "host_device" : "file",
        "node-name": fileNode,
        filename: path,
        "read-only": readonly,
        discard: "unmap",
        cache: { direct },
        // Linux' own asynchronous reads and writes need O_DIRECT; threads do for the rest.
        aio: direct ? "native" : "threads",
      },
      {
        driver: isNamedQcow2(path) ? "qcow2" : "raw",
        "node-name": node,
        file: fileNode,
        "read-only": readonly,
        discard: "unmap",
        cache: { direct },
      },
    ],
    device: {
      driver: "virtio-blk-pci",
      id,
      drive: node,
      "disable-legacy": "on",
      "num-queues": config.cpus,
      "queue-size": Math.min(longestQueue, config.diskQueueSize || defaultQueueSize),
      ...(serial === undefined || serial === "" ? {} : { serial }),
      ...(bootIndex === undefined ? {} : { bootindex: bootIndex }),
      ...place,
    },
  };
}

/** Name of the node that a disk's device reads from. */
export function nodeOf(id: string): string {
  // A name of a node has at most 31 characters, and a device's may be longer.
  return `n-${id}`.slice(-26);
}

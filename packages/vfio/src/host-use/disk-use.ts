import { basename } from "node:path";
import type { Host } from "@silkvm/core";
import { followLink, linkName, readKernelFile } from "../kernel-files.ts";
import type { BlockDevice } from "./block-devices.ts";
import type { HostUse } from "./host-use.ts";

const btrfs = "/sys/fs/btrfs";

/** What the host has mounted, and what it swaps to. */
export interface DiskUsers {
  readonly mounts: readonly {
    /** Number of its device, such as `259:1`. */
    readonly number: string;
    /** Name of its device, where its source is one. */
    readonly name: string | undefined;
    readonly at: string;
    /** Such as `ext4`. */
    readonly type: string;
  }[];
  /** Names of the devices. */
  readonly swaps: readonly string[];
  /** Names of the devices of btrfs file systems: such a file system has a number of its own. */
  readonly btrfs: readonly string[];
}

/** Reads what disks are used for, in the first process's view where that may be seen, and in this one's. */
export async function readDiskUsers({ files }: Pick<Host, "files">): Promise<DiskUsers> {
  const nameOf = async (path: string): Promise<string | undefined> => {
    if (!path.startsWith("/dev/")) return undefined;
    return basename((await followLink(files, path)) ?? path);
  };
  const tables = await Promise.all(
    ["1", "self"].map((pid) => readKernelFile(files, `/proc/${pid}/mountinfo`)),
  );
  const lines = new Set(tables.flatMap((table) => (table ?? "").split("\n")).filter(Boolean));
  const mounts = [...lines].map(async (line) => {
    const [, , number = "", , at = ""] = line.split(" ");
    const [type = "", source = ""] = (line.split(" - ", 2)[1] ?? "").split(" ");
    return { number, name: await nameOf(unescape(source)), at: unescape(at), type };
  });
  const swaps = ((await readKernelFile(files, "/proc/swaps")) ?? "").split("\n").slice(1);
  const swapNames = swaps.map((line) => nameOf(unescape(line.split(/\s/, 1)[0] ?? "")));
  const pools = await files.list(btrfs);
  const members = pools.map((pool) => files.list(`${btrfs}/${pool}/devices`));
  return {
    mounts: await Promise.all(mounts),
    swaps: (await Promise.all(swapNames)).filter((name) => name !== undefined),
    btrfs: (await Promise.all(members)).flat(),
  };
}

/** Blanks and the like are written in octal. */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** What the host does with some disks and with what is made of them. */
export function diskUse(disks: readonly BlockDevice[], users: DiskUsers): readonly HostUse[] {
  const whats = disks.flatMap(({ name, number, holders }) => {
    const places = users.mounts
      .filter((mount) => (number !== "" && mount.number === number) || mount.name === name)
      .map(({ at }) => at);
    return [
      ...[...new Set(places)].map((at) => `${name} is mounted at ${at}`),
      ...(places.length === 0 && users.btrfs.includes(name)
        ? [`${name} is part of a mounted btrfs`]
        : []),
      ...(users.swaps.includes(name) ? [`${name} is swap`] : []),
      ...holders.map((holder) => `${name} is part of ${holder}`),
    ];
  });
  return whats.map((what) => ({ kind: "disk", what }));
}

/** A directory that another machine shares by virtiofs: which of them a device serves the kernel does not tell. */
export async function sharedUse(
  { files }: Pick<Host, "files">,
  devicePath: string,
  { mounts }: DiskUsers,
): Promise<readonly HostUse[]> {
  const shares = mounts.filter(({ type }) => type === "virtiofs");
  if (shares.length === 0 || devicePath === "") return [];
  const children = (await files.list(devicePath)).filter((name) => /^virtio\d+$/.test(name));
  for (const child of children)
    if ((await linkName(files, `${devicePath}/${child}/driver`)) === "virtiofs")
      return shares.map(({ at }) => ({ kind: "disk", what: `virtiofs is mounted at ${at}` }));
  return [];
}

import type { Host } from "@silkvm/core";
import { followLink, readKernelFile } from "../kernel-files.ts";
import { pciPath } from "../pci-address.ts";
import type { PciDevice } from "../pci-device.ts";
import { readBlockDevices, stackOn } from "./block-devices.ts";
import { diskUse, readDiskUsers, sharedUse } from "./disk-use.ts";
import { networkUse, readNetwork } from "./network-use.ts";
import { nodesOf, readCharacterDevices } from "./nodes.ts";

/** Something that the host does with a device, as a clause: `nvme0n1p1 is mounted at /`. */
export interface HostUse {
  readonly kind: "disk" | "network" | "process" | "display" | "functions";
  readonly what: string;
}

/**
 * What the host does with PCI devices: disks that are mounted, swap, or below LVM, RAID and the like; interfaces that are up, with addresses,
 * routes, or as a part of another one; the screen; virtual functions; and whatever of them a process has open.
 * @returns for each device its uses, by its address; none where the host does nothing with it
 */
export async function findHostUse(
  host: Host,
  devices: readonly PciDevice[],
): Promise<ReadonlyMap<string, readonly HostUse[]>> {
  const [blocks, characters, users, network] = await Promise.all([
    readBlockDevices(host),
    readCharacterDevices(host),
    readDiskUsers(host),
    readNetwork(host),
  ]);
  const examined = await Promise.all(
    devices.map(async (device) => {
      const path = (await followLink(host.files, pciPath(device.address))) ?? "";
      const disks = stackOn(path, blocks);
      const uses = [
        ...diskUse(disks, users),
        ...(await sharedUse(host, path, users)),
        ...networkUse(path, network),
        ...(await otherUse(host, device)),
      ];
      const nodes = [...disks, ...(await nodesOf(host, path, characters))];
      return { address: device.address, nodes, uses };
    }),
  );
  const opened = await host.processes.openers(
    examined.flatMap(({ nodes }) => nodes.map(({ node }) => node)),
  );
  return new Map(
    examined.map(({ address, nodes, uses }) => [address, [...uses, ...openUse(nodes, opened)]]),
  );
}

function openUse(
  nodes: readonly { readonly name: string; readonly node: string }[],
  opened: Awaited<ReturnType<Host["processes"]["openers"]>>,
): readonly HostUse[] {
  return nodes.flatMap(({ name, node }) =>
    opened.flatMap(({ path, process: { identity, argv } }): HostUse[] =>
      path === node
        ? [{ kind: "process", what: `${name} is open in ${programOf(argv)} (pid ${identity.pid})` }]
        : [],
    ),
  );
}

/** The name of a program, of its arguments. */
export function programOf(argv: readonly string[]): string {
  return argv[0]?.split("/").at(-1) ?? "a process";
}

async function otherUse(
  { files }: Host,
  { address, driver }: PciDevice,
): Promise<readonly HostUse[]> {
  if (driver === undefined) return [];
  const path = pciPath(address);
  const isConsole = (await readKernelFile(files, `${path}/boot_vga`)) === "1";
  const functions = Number((await readKernelFile(files, `${path}/sriov_numvfs`)) ?? 0);
  return [
    ...(isConsole ? [{ kind: "display" as const, what: "it shows the host's console" }] : []),
    ...(functions > 0
      ? [{ kind: "functions" as const, what: `${functions} virtual functions live on it` }]
      : []),
  ];
}

import type { Host } from "@silkvm/core";
import { followLink, linkName, readKernelFile } from "../kernel-files.ts";
import type { HostUse } from "./host-use.ts";

const classDir = "/sys/class/net";
const isUpFlag = 1;
const isRejectFlag = 0x200;

/** A network interface of the host. */
export interface HostInterface {
  readonly name: string;
  readonly path: string;
  readonly isUp: boolean;
  /** Interfaces that it is a part of: bridges, bonds, VLANs. */
  readonly uppers: readonly string[];
  readonly hasAddress: boolean;
  readonly hasDefaultRoute: boolean;
}

/** All interfaces of this network namespace. */
export async function readNetwork({
  files,
}: Pick<Host, "files">): Promise<readonly HostInterface[]> {
  const table = async (name: string): Promise<readonly (readonly string[])[]> =>
    ((await readKernelFile(files, `/proc/net/${name}`)) ?? "")
      .split("\n")
      .map((line) => line.trim().split(/\s+/));
  const [routes4, routes6, addresses6] = await Promise.all([
    table("route"),
    table("ipv6_route"),
    table("if_inet6"),
  ]);
  const isReal = (flags: string | undefined): boolean =>
    (Number.parseInt(flags ?? "0", 16) & isRejectFlag) === 0;
  const defaults = new Set([
    ...routes4
      .filter(([, to, , flags, , , , mask]) => /^0+$/.test(`${to}${mask}`) && isReal(flags))
      .map(([name]) => name),
    ...routes6
      .filter(([to, length, , , , , , , flags]) => /^0+$/.test(`${to}${length}`) && isReal(flags))
      .map((fields) => fields.at(-1)),
  ]);
  // An interface that is up and has an IPv4 address has a route to its neighbours. Every interface has a link-local IPv6 address.
  const addressed = new Set([
    ...routes4.map(([name]) => name),
    ...addresses6.filter(([, , , scope]) => scope === "00").map((fields) => fields.at(-1)),
  ]);
  const interfaces = (await files.list(classDir)).map(async (name) => {
    const path = await followLink(files, `${classDir}/${name}`);
    if (path === undefined) return undefined;
    const flags = Number((await readKernelFile(files, `${classDir}/${name}/flags`)) ?? 0);
    const master = await linkName(files, `${classDir}/${name}/master`);
    const uppers = (await files.list(`${classDir}/${name}`))
      .filter((entry) => entry.startsWith("upper_"))
      .map((entry) => entry.slice("upper_".length));
    return {
      name,
      path,
      isUp: (flags & isUpFlag) !== 0,
      uppers: [...new Set([...(master === undefined ? [] : [master]), ...uppers])],
      hasAddress: addressed.has(name),
      hasDefaultRoute: defaults.has(name),
    };
  });
  return (await Promise.all(interfaces)).filter((found) => found !== undefined);
}

/** What the host does with the interfaces of a device, and with those that they are a part of. */
export function networkUse(devicePath: string, all: readonly HostInterface[]): readonly HostUse[] {
  const own = all.filter(({ path }) => devicePath !== "" && path.startsWith(`${devicePath}/`));
  const stack = new Set(own);
  for (const { uppers } of stack)
    for (const upper of all) if (uppers.includes(upper.name)) stack.add(upper);
  const whats = [...stack].flatMap(({ name, isUp, uppers, hasAddress, hasDefaultRoute }) => {
    if (!isUp) return [];
    return [
      ...(hasDefaultRoute ? [`${name} has the default route`] : []),
      ...(hasAddress && !hasDefaultRoute ? [`${name} is up and has addresses`] : []),
      ...uppers.map((upper) => `${name} is part of ${upper}`),
    ];
  });
  return whats.map((what) => ({ kind: "network", what }));
}

import type { Disk, Nic, VmRecord } from "./record.ts";

/** Serial of the COW disk, by which the init of published OCI VM images finds it. */
export const COW_SERIAL = "cocoon-cow";

/** Serials of an image's layers are this and their number, from the lowest up. */
export const layerSerialPrefix = "cocoon-layer";

/** Serials of the layer disks, topmost first, in the order in which overlayfs wants its `lowerdir` (Go: ReverseLayerSerials). */
export function reverseLayerSerials(disks: readonly Pick<Disk, "role" | "serial">[]): string[] {
  return disks
    .filter(({ role }) => role === "layer")
    .map(({ serial }) => serial ?? "")
    .toReversed();
}

/** What the kernel of an OCI image is told. */
export interface OciBoot {
  readonly disks: readonly Pick<Disk, "role" | "serial">[];
  readonly nics: readonly Pick<Nic, "address">[];
  /** Host name of the guest. */
  readonly name: string;
  /** Addresses of DNS servers; the first two are told. */
  readonly dns?: readonly string[] | undefined;
}

/** The kernel command line for a VM made of an OCI image. The words are those that published OCI VM images understand. */
export function ociCmdline({ disks, nics, name, dns = [] }: OciBoot): string {
  const words = [
    "console=hvc0",
    "loglevel=3",
    "boot=cocoon-overlay",
    `cocoon.layers=${reverseLayerSerials(disks).join(",")}`,
    `cocoon.cow=${COW_SERIAL}`,
    "clocksource=kvm-clock",
    "rw",
  ];
  if (nics.length > 0) words.push("net.ifnames=0", `cocoon.hostname=${name}`);
  for (const [index, { address }] of nics.entries()) {
    if (address === undefined) continue;
    const { ip, gateway, prefix } = address;
    const fields = [ip, "", gateway, netmask(prefix), name, `eth${index}`, "off"];
    words.push(`ip=${[...fields, ...dns.slice(0, 2)].join(":")}`);
  }
  return words.join(" ");
}

/** The command line of a VM that boots a kernel, for its disks and NICs as they are now; undefined where it boots by firmware. */
export function cmdlineOf({
  boot,
  disks,
  nics,
  name,
  config,
}: Pick<VmRecord, "boot" | "disks" | "nics" | "name" | "config">): string | undefined {
  if (boot.kind === "firmware") return undefined;
  if (boot.layered !== true) return boot.cmdline;
  const told = ociCmdline({ disks: rootDisks(disks), nics, name, dns: config.dns });
  return boot.cmdline === "" ? told : `${told} ${boot.cmdline}`;
}

/** The layers of the root: a read-only disk that the user gave is none of them. */
function rootDisks(disks: readonly Disk[]): readonly Disk[] {
  return disks.filter(
    ({ role, serial }) => role === "layer" && serial?.startsWith(layerSerialPrefix) === true,
  );
}

/** 24 → 255.255.255.0 */
function netmask(prefix: number): string {
  const bits = prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0;
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 0xff).join(".");
}

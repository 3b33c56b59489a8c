import { normalize } from "node:path";
import { SilkError } from "../errors.ts";
import { reservedSerialPrefix } from "./disks.ts";
import type { DataDiskSpec, ResolvedVmSpec, VmSpec } from "./spec.ts";

/**
 * Gives each data disk what it was not given: a name that no other disk has, a file system, and where cidata mounts it.
 * @throws SilkError `INVALID_DISK`
 */
export function resolveDataDisks(
  { dataDisks = [], disks = [] }: VmSpec,
  checkSize: (sizeBytes: number, what: string) => void,
): ResolvedVmSpec["dataDisks"] {
  const names = new Set(disks.map(({ serial }) => serial));
  for (const { name } of dataDisks) {
    if (name === undefined) continue;
    if (name.startsWith(reservedSerialPrefix))
      throw invalid(`no data disk can be named "${name}"`, "Names that begin so are silk's own.");
    if (names.has(name)) throw invalid(`two disks are named "${name}"`, "Give each its own name=…");
    names.add(name);
  }
  const mounted = new Map<string, string>();
  return dataDisks.map((disk) => {
    const name = disk.name ?? freeName(names);
    const fstype = disk.fstype ?? "ext4";
    checkSize(disk.sizeBytes, `the data disk "${name}"`);
    const { mountPoint: _mountPoint, ...rest } = disk;
    const mountPoint = mountPointOf(disk, name, fstype);
    if (mountPoint === undefined) return { ...rest, name, fstype };
    const other = mounted.get(mountPoint);
    if (other !== undefined)
      throw invalid(
        `the data disks "${other}" and "${name}" are both mounted at ${mountPoint}`,
        "Give each its own mount=…, or none: mount=",
      );
    mounted.set(mountPoint, name);
    return { ...rest, name, fstype, mountPoint };
  });
}

function freeName(names: Set<string | undefined>): string {
  for (let number = 1; ; number++) {
    const name = `data${number}`;
    if (names.has(name)) continue;
    names.add(name);
    return name;
  }
}

function mountPointOf(
  { mountPoint: wanted }: DataDiskSpec,
  name: string,
  fstype: "ext4" | "none",
): string | undefined {
  if (wanted === undefined) return fstype === "none" ? undefined : `/mnt/${name}`;
  if (wanted === "") return undefined;
  if (fstype === "none")
    throw invalid(
      `the data disk "${name}" has no file system that could be mounted at ${wanted}`,
      "Give fstype=ext4, or leave mount= out.",
    );
  const mountPoint = wanted.replace(/(?<=.)\/$/, "");
  if (mountPoint === "/" || normalize(mountPoint) !== mountPoint)
    throw invalid(
      `the data disk "${name}" cannot be mounted at ${wanted}`,
      "Name a directory below the root, without . and .. in it.",
    );
  return mountPoint;
}

function invalid(message: string, hint: string): SilkError {
  return new SilkError(message, { code: "INVALID_DISK", kind: "invalid", hint });
}

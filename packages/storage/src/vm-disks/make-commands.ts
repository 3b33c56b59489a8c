import { ext4Command } from "../ext4.ts";
import type { DiskToMake } from "./planned-disks.ts";

/** Commands for a shell that make a disk as `makeDisks` does. */
export function makeCommands({
  path,
  sizeBytes,
  fstype,
  label,
  basePath,
}: DiskToMake): readonly (readonly string[])[] {
  const size = String(sizeBytes);
  if (basePath !== undefined && path.endsWith(".qcow2"))
    return [["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", basePath, path, size]];
  if (basePath !== undefined)
    return [
      ["cp", "--reflink=auto", "--sparse=always", basePath, path],
      ["truncate", "-s", size, path],
    ];
  const formatted = fstype === "ext4" ? [ext4Command({ path, label })] : [];
  return [["truncate", "-s", size, path], ...formatted];
}

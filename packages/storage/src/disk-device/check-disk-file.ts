import { dirname, isAbsolute } from "node:path";
import {
  type DeviceContext,
  directoryAbove,
  type FileStat,
  SilkError,
  type SilkErrorOptions,
  type VmRecord,
} from "@silkvm/core";
import { readImageHeader } from "../image-header.ts";
import type { DiskData } from "./disk-kind.ts";

const sectorBytes = 512;

/** What a file is to be, and of which VM. */
interface WantedDisk {
  readonly vm: VmRecord;
  readonly name: string;
  readonly readonly: boolean;
}

/**
 * Checks that a file can be the disk of a running VM.
 * @returns its path with every symlink resolved: what is attached is what was checked
 * @throws SilkError `FILE_NOT_FOUND`, `INVALID_FILE`, `INVALID_IMAGE`, `IMAGE_UNSUPPORTED`, `INVALID_DISK`, `PERMISSION_DENIED`, `DISK_LOCKED`
 */
export async function checkDiskFile(
  path: string,
  wanted: WantedDisk,
  context: DeviceContext,
): Promise<string> {
  const { files } = context.host;
  const refuse = (why: string, options: Omit<SilkErrorOptions, "details">): SilkError =>
    new SilkError(`${path} ${why}`, { ...options, details: { path } });
  if (typeof path !== "string" || !isAbsolute(path) || path.includes("\0"))
    throw new SilkError(`${JSON.stringify(path)} is no absolute path`, {
      code: "INVALID_DISK",
      kind: "invalid",
      hint: "Name the file from the root directory on.",
      details: { path },
    });
  const stat = await files.stat(path);
  if (stat === undefined)
    throw refuse("is not there", {
      code: "FILE_NOT_FOUND",
      kind: "not-found",
      hint: "Name a raw image or a block device.",
    });
  if (stat.kind !== "file" && stat.kind !== "block-device")
    throw refuse(`is a ${stat.kind}`, {
      code: "INVALID_FILE",
      kind: "invalid",
      hint: "Name a raw image or a block device.",
    });
  const real = await files.realpath(path);
  const { host, rootDir, paths } = context;
  const directories = [rootDir, dirname(paths.runDir), dirname(paths.logPath)];
  const own = await directoryAbove(host, real, directories);
  if (own !== undefined)
    throw refuse(`is one of silk's own files, below ${own}`, {
      code: "INVALID_DISK",
      kind: "invalid",
      hint: "Copy it to a place of your own first.",
    });
  for (const how of wanted.readonly ? (["read"] as const) : (["read", "write"] as const)) {
    if (await files.canAccess(real, how)) continue;
    throw refuse(`cannot be ${how === "read" ? "read" : "written"} by this user`, {
      code: "PERMISSION_DENIED",
      kind: "denied",
      hint:
        how === "read" ? "Give this user the permission." : "Give the permission, or --readonly.",
    });
  }
  const { format } = await readImageHeader(context.host, real);
  if (format !== "raw")
    throw refuse(`is a ${format} image, and disks are added to running VMs in raw form`, {
      code: "IMAGE_UNSUPPORTED",
      kind: "unsupported",
      hint: `Convert it: qemu-img convert -O raw ${path} disk.raw`,
    });
  if (real.endsWith(".qcow2"))
    throw refuse("is no qcow2 image, though its name says so", {
      code: "INVALID_IMAGE",
      kind: "invalid",
      hint: "Give a raw image a name that does not end in .qcow2.",
    });
  if (stat.kind === "file" && (stat.sizeBytes === 0 || stat.sizeBytes % sectorBytes !== 0))
    throw refuse(`has ${stat.sizeBytes} bytes, which is no whole number of sectors`, {
      code: "INVALID_DISK",
      kind: "invalid",
      hint: `Make it a multiple of ${sectorBytes} bytes: truncate -s %${sectorBytes} ${path}`,
    });
  await refuseShared(real, stat, wanted, context);
  return real;
}

/** Two users of one image destroy it, unless both only read. The VMM's own lock does not see a second name within one VM. */
async function refuseShared(
  path: string,
  stat: FileStat,
  { vm, name, readonly }: WantedDisk,
  { host, attached }: DeviceContext,
): Promise<void> {
  // A VM that does not run has no disk in use: its next start says what is in its way then.
  const added = attached()
    .filter(({ attachment }) => attachment.state !== "detached")
    .map(({ vm: owner, attachment }) => ({ owner, ...(attachment.data as DiskData) }));
  const own = vm.disks.map((disk) => ({ ...disk, owner: vm, name: undefined }));
  for (const other of [...own, ...added]) {
    const isOwn = other.owner.id === vm.id;
    // That the VM has a disk of this name is found out by the engine.
    if (isOwn ? other.name === name : readonly && other.readonly) continue;
    const found = other.path === path ? stat : await host.files.stat(other.path);
    if (found?.inode !== stat.inode || found.device !== stat.device) continue;
    throw new SilkError(`${path} is a disk of the VM ${other.owner.name} already`, {
      code: "DISK_LOCKED",
      kind: "conflict",
      hint: "Detach it there first, or give this VM a copy.",
      details: { path, vmId: other.owner.id },
    });
  }
}

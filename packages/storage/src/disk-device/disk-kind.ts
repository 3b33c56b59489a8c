import {
  type CapabilityToken,
  dataDiskNamePattern,
  defineCapability,
  type DeviceContext,
  type DeviceKind,
  type DeviceKindDefinition,
  type Disk,
  type HotPlug,
  type PlannedDevice,
  reservedSerialPrefix,
  SilkError,
  type VmRecord,
} from "@silkvm/core";
import { checkDiskFile } from "./check-disk-file.ts";

/** A disk to add to a running VM. */
export interface DiskRequest {
  /** Absolute path of a raw image or a block device. silk never deletes it. */
  readonly path: string;
  /** `[a-z][a-z0-9_-]{0,19}`, unique in the VM: also the disk's serial in the guest. */
  readonly name: string;
  /** Default false. */
  readonly readonly?: boolean | undefined;
  /** O_DIRECT. Default: on for a writable disk, unless the VM says `noDirectIo`. */
  readonly directIo?: boolean | undefined;
}

/** What a record holds of such a disk. */
export interface DiskData extends Readonly<Record<string, unknown>> {
  readonly path: string;
  readonly name: string;
  readonly readonly: boolean;
  readonly directIo?: boolean | undefined;
}

/** Backends that can add a disk to a running VM. */
export const hotDisk: CapabilityToken<HotPlug<DiskData>> = defineCapability(
  "hot-disk",
  "add disks to a running VM",
);

/** The id of a disk in its VMM, by its name. */
export function diskDeviceId(name: string): string {
  return `silk-disk-${name}`;
}

/** Disks that are added to running VMs. They have no side on the host but the file, which is the user's. */
export const diskKind: DeviceKind<DiskRequest, DiskData> = {
  name: "disk",
  noun: "the disk",
  capability: hotDisk,
  nameOf: ({ name }) => name,
  detachCommand: (vm, { name }) => `silk vm disk detach ${vm.name} --name ${name}`,
  plan: planDisk,
};

/** The kind for a plugin to bring, together with others that bring it too. */
export const diskDevices: DeviceKindDefinition = { name: "disk", load: async () => diskKind };

async function planDisk(
  vm: VmRecord,
  request: DiskRequest,
  context: DeviceContext,
): Promise<PlannedDevice<DiskData>> {
  const { name, readonly = false, directIo } = request;
  if (typeof name !== "string" || !dataDiskNamePattern.test(name))
    throw new SilkError(`${JSON.stringify(name)} is no name for a disk`, {
      code: "INVALID_DISK",
      kind: "invalid",
      hint: "A name is a lower-case letter and up to 19 more letters, digits, dashes and underscores.",
      details: { name },
    });
  if (name.startsWith(reservedSerialPrefix))
    throw new SilkError(`no disk can be named "${name}"`, {
      code: "INVALID_DISK",
      kind: "invalid",
      hint: "Names that begin so are silk's own.",
      details: { name },
    });
  const clash = vm.disks.find(({ serial }) => serial === name);
  if (clash !== undefined) throw taken(vm, clash);
  const path = await checkDiskFile(request.path, { vm, name, readonly }, context);
  const data = { path, name, readonly, ...(directIo === undefined ? {} : { directIo }) };
  return { id: diskDeviceId(name), data };
}

function taken(vm: VmRecord, { serial, path }: Disk): SilkError {
  return new SilkError(`the VM ${vm.name} has a disk named "${serial}" already: ${path}`, {
    code: "DEVICE_EXISTS",
    kind: "conflict",
    hint: "Choose another name.",
    details: { id: vm.id, name: vm.name, path },
  });
}

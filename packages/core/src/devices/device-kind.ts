import type { CapabilityToken } from "../capability.ts";
import type { EngineConfig } from "../config/schema.ts";
import type { Host } from "../host.ts";
import type { OperationContext } from "../hypervisor.ts";
import type { Attachment, DeviceData, VmPaths, VmRecord } from "../vm/record.ts";

/**
 * What a backend does to add one kind of device to a VM that runs, and to take it away. A capability's token names the kind: `vfio`,
 * `virtiofs`, …
 */
export interface HotPlug<D extends DeviceData> {
  /**
   * Adds the device to the VMM under this id. Where it throws, the device may be there all the same: {@link HotPlug.isPresent} tells.
   * @returns the device's address in the guest, where the VMM tells it
   */
  add(
    vm: VmRecord,
    device: { readonly id: string; readonly data: D },
    context: OperationContext,
  ): Promise<{ readonly bdf?: string | undefined }>;
  /**
   * Asks the guest to let go of the device and waits until it has, for a bounded time. One that is gone is fine, and so is one that the guest
   * has been asked for before.
   * @throws SilkError `DEVICE_NOT_RELEASED` where the guest does not let go of it: the same call may succeed later
   */
  remove(vm: VmRecord, id: string, context: RemoveContext): Promise<void>;
  /** Whether the VMM has the device, also while the guest is letting go of it. False where no VMM runs. */
  isPresent(vm: VmRecord, id: string, context: OperationContext): Promise<boolean>;
}

/** What the removal of a device is called with. */
export interface RemoveContext extends OperationContext {
  /** How long the guest may take to let go of it. */
  readonly graceMs: number;
}

/** What a kind of device is called with. */
export interface DeviceContext extends OperationContext {
  readonly host: Host;
  /** The settings that kinds of devices go by. */
  readonly config: Pick<EngineConfig, "virtiofsd">;
  /** What lies below it is silk's own. */
  readonly rootDir: string;
  /** Where the VM's things are. What is put into `runDir` goes with the VMM, and with the VM goes what is beside its log as `<id>@<device>.log`. */
  readonly paths: VmPaths;
  /** A random word of this installation: part of every name that is given to things of the host. */
  readonly scope: string;
  /** All devices of this kind that VMs of this installation have, or are being given. */
  readonly attached: () => readonly AttachedTo[];
}

/** A device, and whose it is. */
export interface AttachedTo {
  readonly vm: { readonly id: string; readonly name: string };
  readonly attachment: Attachment;
}

/** A device as it is to be: written down before anything of it is made. */
export interface PlannedDevice<D extends DeviceData> {
  /** Its id in the VMM. */
  readonly id: string;
  /** What {@link DeviceKind.prepare}, {@link DeviceKind.release} and the backend need to know of it: JSON values only. */
  readonly data: D;
}

/**
 * A kind of device that can be added to a running VM, and what belongs to it on the host. The engine holds the VM's lock, keeps the record
 * and the journal, and sees to it that whatever was prepared is released: when the device is detached, when its VM ends in whatever way, and
 * when an operation was killed half-way.
 */
export interface DeviceKind<R, D extends DeviceData> {
  /** `[a-z][a-z0-9-]*`, as records have it. */
  readonly name: string;
  /** What one of them is called in messages: `the shared directory`. */
  readonly noun: string;
  readonly capability: CapabilityToken<HotPlug<D>>;
  /** What a user calls a device of a VM, where that is not its id: a name, a tag. Unique in the VM among those of its kind. */
  nameOf?(data: D): string;
  /** The command that detaches one, for hints. */
  detachCommand?(vm: VmRecord, data: D): string;
  /** Checks everything about a wanted device that can be checked, and says what it will be. Makes nothing. */
  plan(vm: VmRecord, request: R, context: DeviceContext): Promise<PlannedDevice<D>>;
  /** Makes the host's side of it. What it leaves when it throws, {@link DeviceKind.release} removes. */
  prepare?(vm: VmRecord, device: PlannedDevice<D>, context: DeviceContext): Promise<void>;
  /** Gives the host's side back. The VMM has the device no more. What was never made, or is gone already, is fine. */
  release?(vm: VmRecord, device: PlannedDevice<D>, context: DeviceContext): Promise<void>;
}

/** A kind of device as its plugin hands it over: loaded when a device of it is first met. */
export interface DeviceKindDefinition {
  /** The kind's own name. */
  readonly name: string;
  load(): Promise<DeviceKind<never, DeviceData>>;
}

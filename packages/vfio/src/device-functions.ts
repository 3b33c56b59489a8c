import type {
  ChangeOptions,
  DetachOptions,
  DeviceView,
  Engine,
  EngineCallOptions,
} from "@silkvm/core";
import { isPciAddress, parsePciAddress } from "./pci-address.ts";
import { type VfioData, vfioKind, type VfioRequest } from "./vfio-kind.ts";

/**
 * Hands a PCI device of the host over to a running VM (Go: DeviceAttach). It is gone again when the VM ends.
 * @returns the device's id
 * @throws SilkError see `planDevice`; `VM_NOT_RUNNING`, `VM_PAUSED`, `CAPABILITY_MISSING`
 */
export async function deviceAttach(
  engine: Engine,
  ref: string,
  request: VfioRequest,
  options: ChangeOptions = {},
): Promise<string> {
  return (await engine.devices.attach(ref, vfioKind, request, options)).id;
}

/**
 * Takes a PCI device from a running VM and gives it, and its group, back to the drivers that they had (Go: DeviceDetach).
 * @param device its id, or its address in any form
 * @returns the device's id
 * @throws SilkError `DEVICE_NOT_FOUND`; `DEVICE_NOT_RELEASED` where the guest does not let go, `GROUP_IN_USE` and `NOT_GIVEN_BACK` where the host's side
 * cannot be given back: the same call may succeed later
 */
export async function deviceDetach(
  engine: Engine,
  ref: string,
  device: string,
  options: DetachOptions = {},
): Promise<string> {
  const name = isPciAddress(device) ? parsePciAddress(device) : device;
  return (await engine.devices.detach(ref, vfioKind, name, options)).id;
}

/** The PCI devices of the host that a VM has (Go: DeviceList). Writes nothing. */
export async function deviceList(
  engine: Engine,
  ref: string,
  options: EngineCallOptions = {},
): Promise<readonly DeviceView<VfioData>[]> {
  return await engine.devices.list(ref, vfioKind, options);
}

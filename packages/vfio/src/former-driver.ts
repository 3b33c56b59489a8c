import type { PciDevice } from "./pci-device.ts";

/** Whose a device was before silk took it. */
export interface FormerDriver extends Readonly<Record<string, unknown>> {
  readonly address: string;
  /** `8086:1572`: another device may be at the same address later. */
  readonly is: string;
  /** Null where it had none. */
  readonly driver: string | null;
  /** The one driver that might have it; null where that was not said. */
  readonly driverOverride: string | null;
}

export function formerDriver(device: PciDevice): FormerDriver {
  const { address, driver = null, driverOverride = null } = device;
  return { address, is: identityOf(device), driver, driverOverride };
}

/** What kind of device it is, by its numbers. */
export function identityOf({ vendorId, deviceId }: PciDevice): string {
  return `${vendorId}:${deviceId}`;
}

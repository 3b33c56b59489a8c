import { mostNics } from "@silkvm/core";

/** Slots of the root bus: 0 and 31 are the chipset's, and the firmware looks at them in this order. */
const consoleSlot = 1;
const rngSlot = 2;
const balloonSlot = 3;
const firstPortSlot = 4;
const firstDiskSlot = 8;
const lastDiskSlot = 30;
const functionsOfSlot = 8;

/** NICs, and as many other devices, can be added to a VM that runs. */
export const portCount: number = 2 * mostNics;

/** As many disks as there are places for on the root bus. */
export const mostDisks: number = (lastDiskSlot - firstDiskSlot + 1) * functionsOfSlot;

/** Where a device is: on a bus, and at which slot of it where that is not left to QEMU. */
export interface Place {
  readonly bus: string;
  readonly addr?: string | undefined;
  readonly multifunction?: boolean | undefined;
}

export const placeOf = {
  console: { bus: "pcie.0", addr: hex(consoleSlot) },
  rng: { bus: "pcie.0", addr: hex(rngSlot) },
  balloon: { bus: "pcie.0", addr: hex(balloonSlot) },
} as const satisfies Readonly<Record<string, Place>>;

/** The place of a disk that the VM boots with: a slot of its own for each as long as there are any. */
export function diskPlace(index: number, count: number): Place {
  const slots = lastDiskSlot - firstDiskSlot + 1;
  const slot = firstDiskSlot + (index % slots);
  const part = Math.floor(index / slots);
  return {
    bus: "pcie.0",
    addr: part === 0 ? hex(slot) : `${hex(slot)}.${hex(part)}`,
    ...(part === 0 && count > slots ? { multifunction: true } : {}),
  };
}

/** A root port: a bus with one slot, whose device can be added and taken away while the VM runs. */
export function portId(index: number): string {
  return `port${index}`;
}

/** The root ports as the VM is made with them. */
export function portDevices(): readonly Readonly<Record<string, unknown>>[] {
  return Array.from({ length: portCount }, (_, index) => {
    const part = index % functionsOfSlot;
    const slot = hex(firstPortSlot + Math.floor(index / functionsOfSlot));
    return {
      driver: "pcie-root-port",
      id: portId(index),
      bus: "pcie.0",
      addr: `${slot}.${hex(part)}`,
      chassis: index + 1,
      // Guests give each port a piece of the scarce range of old-style addresses otherwise.
      "io-reserve": 0,
      ...(part === 0 ? { multifunction: true } : {}),
    };
  });
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

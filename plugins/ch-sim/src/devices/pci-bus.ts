import { VmmError } from "../errors.ts";

const SLOTS = 32;

function slotError(name: string, message: string, slot: number): VmmError {
  return new VmmError(name, `${message}: ${slot}`, undefined, `(${slot})`);
}

/** The 32 slots of one PCI bus. Slot 0 belongs to the host bridge. */
export class PciBus {
  readonly #slots: ("free" | "reserved" | "taken")[] = Array.from({ length: SLOTS }, (_, slot) =>
    slot === 0 ? "taken" : "free",
  );

  /** Keeps a slot from being handed out to a device that asks for no particular one. */
  reserve(slot: number): void {
    if (slot >= SLOTS)
      throw slotError("InvalidPciDeviceSlot", "Invalid PCI device identifier provided", slot);
    if (this.#slots[slot] !== "free") throw alreadyInUse(slot);
    this.#slots[slot] = "reserved";
  }

  /** Takes a given slot, or the first free one. */
  allocate(slot: number | undefined): number {
    if (slot === undefined) {
      const free = this.#slots.indexOf("free");
      if (free < 0) {
        throw new VmmError(
          "NoPciDeviceSlotAvailable",
          "Could not find an available device slot on the PCI bus",
        );
      }
      this.#slots[free] = "taken";
      return free;
    }
    if (slot >= SLOTS)
      throw slotError("InvalidPciDeviceSlot", "Invalid PCI device identifier provided", slot);
    if (this.#slots[slot] === "taken") throw alreadyInUse(slot);
    this.#slots[slot] = "taken";
    return slot;
  }

  /** Gives a slot back. */
  free(slot: number): void {
    this.#slots[slot] = "free";
  }
}

function alreadyInUse(slot: number): VmmError {
  return slotError(
    "AlreadyInUsePciDeviceSlot",
    "Valid PCI device identifier but already used",
    slot,
  );
}

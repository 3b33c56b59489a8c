import type * as types from "../config/types.ts";
import { Panic } from "../errors.ts";
import type { MemoryManager } from "../memory/memory-manager.ts";
import { AddressAllocator } from "./address-allocator.ts";
import { PciBus } from "./pci-bus.ts";

const MMIO32_START = 0xc000_0000;
const MMIO32_BYTES = 640 * 1024 * 1024;

/** One PCI segment: its slots, and the addresses that its devices get. */
export interface Segment {
  readonly bus: PciBus;
  readonly mmio32: AddressAllocator;
  readonly mmio64: AddressAllocator;
}

/** The segments of a VM, which share its addresses out among them. Throws a Panic where there are none left. */
export function segments(config: types.VmConfig, memory: MemoryManager): Segment[] {
  const count = config.platform?.num_pci_segments ?? 1;
  const start = Number(memory.deviceAreaStart);
  const end = Number(memory.deviceAreaEnd);
  if (end < start)
    throw new Panic(
      "vmm/src/device_manager.rs:1208:72",
      "called `Option::unwrap()` on a `None` value",
    );
  const weights = (key: "mmio32_aperture_weight" | "mmio64_aperture_weight"): number[] =>
    Array.from(
      { length: count },
      (_, id) => config.pci_segments?.find((segment) => segment.pci_segment === id)?.[key] ?? 1,
    );
  const mmio32 = split(
    MMIO32_START,
    MMIO32_START + MMIO32_BYTES - 1,
    weights("mmio32_aperture_weight"),
    4096,
  );
  const mmio64 = split(start, end, weights("mmio64_aperture_weight"), 2 ** 32);
  return mmio32.map((allocator, id) => ({
    bus: new PciBus(),
    mmio32: allocator,
    mmio64: mmio64[id] ?? allocator,
  }));
}

/** Shares a range of addresses out by weight; the last one gets what is left. */
function split(
  start: number,
  end: number,
  weights: readonly number[],
  alignment: number,
): AddressAllocator[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const unit = Math.floor((end - start + 1) / (alignment * total)) * alignment;
  let before = 0;
  return weights.map((weight, index) => {
    const from = start + before * unit;
    before += weight;
    const size = index === weights.length - 1 ? end - from + 1 : unit * weight;
    return new AddressAllocator(from, size);
  });
}

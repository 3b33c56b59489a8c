import { expect, it } from "vitest";

import { AddressAllocator } from "./address-allocator.ts";

it("hands ranges out from the end, aligned, one below the other", () => {
  const allocator = new AddressAllocator(0x1000, 0x10000);
  expect(allocator.allocate(undefined, 0x1000, 0x1000)).toBe(0x10000);
  expect(allocator.allocate(undefined, 0x800, 0x1000)).toBe(0xf000);
  expect(allocator.allocate(undefined, 0x1000, 0x1000)).toBe(0xe000);
});

it("hands out a range that is asked for, once", () => {
  const allocator = new AddressAllocator(0, 0x10000);
  expect(allocator.allocate(0x4000, 0x1000, 4)).toBe(0x4000);
  expect(allocator.allocate(0x4800, 0x100, 4)).toBeUndefined();
  allocator.free(0x4000, 0x1000);
  expect(allocator.allocate(0x4800, 0x100, 4)).toBe(0x4800);
});

it("has nothing to give where nothing fits", () => {
  const allocator = new AddressAllocator(0, 0x1000);
  expect(allocator.allocate(undefined, 0x2000, 1)).toBeUndefined();
  expect(allocator.allocate(undefined, 0, 1)).toBeUndefined();
});

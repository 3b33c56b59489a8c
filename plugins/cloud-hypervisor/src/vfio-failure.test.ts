import type { ChApiError } from "@silkvm/ch-client";
import type { VmRecord } from "@silkvm/core";
import { expect, it } from "vitest";
import { vfioFailure } from "./vfio-failure.ts";

const vm = { name: "web", config: { memoryBytes: 2 ** 30 } } as VmRecord;
const data = { pci: "0000:00:10.0", group: 5, taken: [], bootId: "b" };
const said = (...links: string[]) => {
  const chain = ["Error from API", "The device could not be added to the VM", ...links];
  return vfioFailure(vm, data, { chain } as unknown as ChApiError);
};

it.each([
  ["failed to open /dev/vfio/vfio container: Permission denied (os error 13)", "PERMISSION_DENIED"],
  ["failed to open /dev/vfio/5 group: Permission denied (os error 13)", "PERMISSION_DENIED"],
  [
    "failed to open /dev/vfio/vfio container: No such file or directory (os error 2)",
    "VFIO_UNAVAILABLE",
  ],
  ["failed to open /dev/vfio/5 group: Device or resource busy (os error 16)", "GROUP_IN_USE"],
  ["failed to open /dev/vfio/5 group: No such file or directory (os error 2)", "DEVICE_NOT_BOUND"],
  ["failed to get vfio device fd: No such device (os error 19)", "DEVICE_NOT_BOUND"],
  ["group is not viable", "GROUP_NOT_WHOLE"],
  [
    "failed to add guest memory map into iommu table: Invalid argument (os error 22)",
    "IOMMU_TOO_NARROW",
  ],
  [
    "failed to add guest memory map into iommu table: Cannot allocate memory (os error 12)",
    "MEMORY_LOCK_LIMIT",
  ],
  [
    "failed to set container's IOMMU driver type as VfioType1V2: Operation not permitted (os error 1)",
    "VFIO_REFUSED",
  ],
  ["failed to add vfio group into vfio container", "VFIO_REFUSED"],
])("%s is %s", (words, code) => {
  const failure = said("Cannot create a VFIO device", words);
  expect(failure?.code).toBe(code);
  expect(failure?.hint).toBeDefined();
});

it("what is not of VFIO is left to others", () => {
  expect(said("Invalid identifier: x")).toBeUndefined();
});

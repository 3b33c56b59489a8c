import type { HostDevice } from "@silkvm/vfio";
import { expect, it } from "vitest";
import { hostDeviceView, renderHostDevices } from "./host-devices-view.ts";

const plain: HostDevice = {
  address: "0000:01:00.0",
  vendorId: "144d",
  deviceId: "a80a",
  classId: "010802",
  vendorName: "Samsung Electronics Co Ltd",
  deviceName: "NVMe SSD Controller PM9A1",
  className: "Non-Volatile memory controller",
  driver: "nvme",
  driverOverride: undefined,
  group: 14,
  groupWith: [],
  numaNode: 0,
  resettable: true,
  bars: [{ index: 0, sizeBytes: 16_384 }],
  isBridge: false,
  uses: [],
  usable: "bind",
  why: [],
};
const devices: readonly HostDevice[] = [
  plain,
  {
    ...plain,
    address: "0000:02:00.0",
    deviceName: undefined,
    usable: "no",
    why: ["nvme1n1 is mounted at /", "nvme1n2 is swap"],
  },
  {
    ...plain,
    address: "0000:03:00.0",
    vendorName: undefined,
    deviceName: undefined,
    className: undefined,
    driver: "vfio-pci",
    groupWith: ["0000:03:00.1"],
    resettable: false,
    usable: "yes",
  },
  {
    ...plain,
    address: "0000:04:00.0",
    vendorName: undefined,
    deviceName: undefined,
    driver: undefined,
    group: undefined,
    usable: "no",
    why: ["it is in no IOMMU group"],
  },
];

it("shows the host's devices, and for each what stands in its way", () => {
  expect(renderHostDevices(devices, {})).toMatchInlineSnapshot(`
    "ADDRESS       NAME                                                  DRIVER    GROUP  USABLE
    0000:01:00.0  Samsung Electronics Co Ltd NVMe SSD Controller PM9A1  nvme      14     with --bind
    0000:02:00.0  Samsung Electronics Co Ltd [144d:a80a]                nvme      14     no: nvme1n1 is mounted at /; nvme1n2 is swap
    0000:03:00.0  [144d:a80a]                                           vfio-pci  14     yes, together with 0000:03:00.1; it cannot be reset
    0000:04:00.0  Non-Volatile memory controller [144d:a80a]            -         -      no: it is in no IOMMU group
    "
  `);
});

it("gives programs everything, and null for what is not known", () => {
  expect(hostDeviceView(devices[3] as HostDevice)).toEqual({
    address: "0000:04:00.0",
    vendorId: "144d",
    vendor: null,
    deviceId: "a80a",
    device: null,
    classId: "010802",
    class: "Non-Volatile memory controller",
    driver: null,
    driverOverride: null,
    group: null,
    groupWith: [],
    numaNode: 0,
    resettable: true,
    bars: [{ index: 0, sizeBytes: 16_384 }],
    bridge: false,
    uses: [],
    usable: "no",
    why: ["it is in no IOMMU group"],
  });
});

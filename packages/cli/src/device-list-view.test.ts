import type { DeviceView } from "@silkvm/core";
import type { VfioData } from "@silkvm/vfio";
import { expect, it } from "vitest";
import { deviceView, renderDeviceList } from "./device-list-view.ts";

const of = (address: string, driver: string | null) => ({
  address,
  is: "1b36:0010",
  driver,
  driverOverride: null,
});
const devices: readonly DeviceView<VfioData>[] = [
  {
    kind: "vfio",
    id: "silk-vfio-000001000",
    data: {
      pci: "0000:01:00.0",
      group: 14,
      taken: [of("0000:01:00.0", "nvme"), of("0000:01:00.1", null)],
      bootId: "b",
    },
    state: "attached",
    keep: false,
    bdf: "0000:00:06.0",
  },
  {
    kind: "vfio",
    id: "gpu",
    data: { pci: "0000:02:00.0", group: 15, taken: [], bootId: "b" },
    state: "detaching",
    keep: false,
  },
];

it("shows the PCI devices of a VM, one a line", () => {
  expect(renderDeviceList(devices, {})).toMatchInlineSnapshot(`
    "ID                   PCI           STATE      ADDRESS       GROUP  BOUND
    silk-vfio-000001000  0000:01:00.0  attached   0000:00:06.0  14     0000:01:00.0 (from nvme), 0000:01:00.1
    gpu                  0000:02:00.0  detaching  -             15     -
    "
  `);
  expect(renderDeviceList([], {})).toBe("ID  PCI  STATE  ADDRESS  GROUP  BOUND\n");
});

it("gives programs each device as one flat object", () => {
  expect(devices.map(deviceView)).toEqual([
    {
      id: "silk-vfio-000001000",
      pci: "0000:01:00.0",
      group: 14,
      state: "attached",
      bound: [
        { pci: "0000:01:00.0", driver: "nvme" },
        { pci: "0000:01:00.1", driver: null },
      ],
      bdf: "0000:00:06.0",
    },
    { id: "gpu", pci: "0000:02:00.0", group: 15, state: "detaching", bound: [], bdf: null },
  ]);
});

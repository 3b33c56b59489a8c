import { describe, expect, it } from "vitest";
import { parsePciAddress } from "./pci-address.ts";

describe("the address of a PCI device", () => {
  it.each([
    ["01:00.0", "0000:01:00.0"],
    ["0000:01:00.0", "0000:01:00.0"],
    ["/sys/bus/pci/devices/0000:01:00.0", "0000:01:00.0"],
    ["/sys/bus/pci/devices/0000:01:00.0/", "0000:01:00.0"],
    ["AF:1F.7", "0000:af:1f.7"],
    ["10000:e1:00.0", "10000:e1:00.0"],
  ])("%s is %s", (text, address) => {
    expect(parsePciAddress(text)).toBe(address);
  });

  it.each([
    "",
    " 01:00.0",
    "01:00.0\n",
    "01:00",
    "01:00.8",
    "01:20.0",
    "1:00.0",
    "01-00-0",
    "000:01:00.0",
    "00000:01:00.0",
    "0000:01:00.0:1",
    "0000:0g:00.0",
    "/sys/bus/pci/devices/01:00.0",
    "/sys/bus/pci/devices/",
    "/sys/bus/pci/devices/0000:01:00.0//",
    "/sys/bus/pci/devices/../devices/0000:01:00.0",
    "/sys/bus/pci/devices/0000:01:00.0/driver",
    "/sys/devices/pci0000:00/0000:01:00.0",
    "devices/0000:01:00.0",
    "0000:01:00.0,0000:01:00.1",
    "nvme0",
  ])("%j is none", (text) => {
    expect(() => parsePciAddress(text)).toThrow(
      expect.objectContaining({ code: "INVALID_PCI_ADDRESS", kind: "invalid" }),
    );
  });
});

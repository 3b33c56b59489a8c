import { expect, it } from "vitest";
import { parsePciIds } from "./pci-names.ts";

const text = `# a comment
8086  Intel Corporation
\t1572  Ethernet Controller X710 for 10GbE SFP+
\t\t8086 0001  a subsystem's name
1b36  Red Hat, Inc.
\t0010  QEMU NVM Express Controller
C 01  Mass storage controller
\t08  Non-Volatile memory controller
\t\t02  NVM Express
C 02  Network controller
`;

it("gives vendors, devices and classes their names, and none to what it does not know", () => {
  const names = parsePciIds(text);
  expect(names.vendor("8086")).toBe("Intel Corporation");
  expect(names.device("8086", "1572")).toBe("Ethernet Controller X710 for 10GbE SFP+");
  expect(names.device("1b36", "0010")).toBe("QEMU NVM Express Controller");
  expect(names.deviceClass("010802")).toBe("Non-Volatile memory controller");
  expect(names.deviceClass("020000")).toBe("Network controller");
  expect([
    names.vendor("ffff"),
    names.vendor("01"),
    names.device("1b36", "1572"),
    names.device("8086", "0001"),
    names.deviceClass("ff0000"),
  ]).toEqual([undefined, undefined, undefined, undefined, undefined]);
});

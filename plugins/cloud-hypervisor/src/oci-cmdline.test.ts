import type { Disk, Nic } from "@silkvm/core";
import { describe, expect, it } from "vitest";
import { COW_SERIAL, ociCmdline, reverseLayerSerials } from "./oci-cmdline.ts";

const layer = (serial: string): Disk => ({
  path: `/blobs/${serial}.erofs`,
  role: "layer",
  readonly: true,
  serial,
});
const cow: Disk = { path: "/vm/cow.raw", role: "cow", readonly: false, serial: COW_SERIAL };

function nic(address?: Nic["address"]): Nic {
  return {
    tap: "t0",
    mac: "52:54:00:00:00:01",
    queues: 2,
    queueSize: 512,
    provider: "bridge",
    ...(address === undefined ? {} : { address }),
  };
}

describe("the serials of layers", () => {
  it("come topmost first, and are those of layers alone", () => {
    expect(reverseLayerSerials([layer("base"), layer("mid"), layer("top"), cow])).toEqual([
      "top",
      "mid",
      "base",
    ]);
    expect(reverseLayerSerials([cow])).toEqual([]);
  });

  it("leave the disks as they were", () => {
    const disks = [layer("base"), layer("top")];
    reverseLayerSerials(disks);
    expect(disks.map(({ serial }) => serial)).toEqual(["base", "top"]);
  });
});

describe("the kernel command line of an OCI image", () => {
  const disks = [layer("base"), layer("top"), cow];

  it("names the layers and the COW disk", () => {
    expect(ociCmdline({ disks, nics: [], name: "web" })).toBe(
      "console=hvc0 loglevel=3 boot=cocoon-overlay cocoon.layers=top,base cocoon.cow=cocoon-cow clocksource=kvm-clock rw",
    );
  });

  it("gives the host name, and each NIC's static address with its own index", () => {
    const nics = [nic(), nic({ ip: "10.0.0.5", gateway: "10.0.0.1", prefix: 20 })];
    expect(ociCmdline({ disks, nics, name: "web" })).toBe(
      "console=hvc0 loglevel=3 boot=cocoon-overlay cocoon.layers=top,base cocoon.cow=cocoon-cow clocksource=kvm-clock rw" +
        " net.ifnames=0 cocoon.hostname=web ip=10.0.0.5::10.0.0.1:255.255.240.0:web:eth1:off",
    );
  });

  it.each([
    [[], "off"],
    [["1.1.1.1"], "off:1.1.1.1"],
    [["1.1.1.1", "8.8.8.8", "9.9.9.9"], "off:1.1.1.1:8.8.8.8"],
  ])("tells of the name servers %j as far as there is room for them", (dns, end) => {
    const nics = [nic({ ip: "10.0.0.5", gateway: "10.0.0.1", prefix: 24 })];
    const cmdline = ociCmdline({ disks, nics, name: "web", dns });
    expect(cmdline.split(" ").at(-1)).toBe(`ip=10.0.0.5::10.0.0.1:255.255.255.0:web:eth0:${end}`);
  });

  it.each([
    [0, "0.0.0.0"],
    [1, "128.0.0.0"],
    [31, "255.255.255.254"],
    [32, "255.255.255.255"],
  ])("writes the prefix %i as the mask %s", (prefix, mask) => {
    const nics = [nic({ ip: "10.0.0.5", gateway: "10.0.0.1", prefix })];
    expect(ociCmdline({ disks, nics, name: "web" })).toContain(`:${mask}:`);
  });
});

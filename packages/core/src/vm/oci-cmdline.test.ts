import { describe, expect, it } from "vitest";
import { cmdlineOf, COW_SERIAL, ociCmdline, reverseLayerSerials } from "./oci-cmdline.ts";
import type { Disk, Nic, VmRecord } from "./record.ts";

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

describe("the command line of a VM", () => {
  const vm = {
    disks: [layer("cocoon-layer0"), layer("cocoon-layer1"), cow],
    nics: [],
    name: "web",
  };
  const config = { cpus: 1 } as VmRecord["config"];

  it("tells a kernel of layers of them, and then what the user has to say", () => {
    const boot = { kind: "direct", kernelPath: "/k", layered: true, cmdline: "quiet" } as const;
    const told = cmdlineOf({ ...vm, boot, config });
    expect(told).toContain("cocoon.layers=cocoon-layer1,cocoon-layer0 cocoon.cow=cocoon-cow");
    expect(told).toMatch(/ quiet$/);
  });

  it("names no read-only disk that the user gave", () => {
    const boot = { kind: "direct", kernelPath: "/k", layered: true, cmdline: "" } as const;
    const disks = [layer("cocoon-layer0"), layer("tools"), cow];
    expect(cmdlineOf({ ...vm, disks, boot, config })).toContain("cocoon.layers=cocoon-layer0 ");
  });

  it("is the user's own for a kernel of their own, and there is none with a firmware", () => {
    const boot = { kind: "direct", kernelPath: "/k", cmdline: "console=ttyS0" } as const;
    expect(cmdlineOf({ ...vm, boot, config })).toBe("console=ttyS0");
    const firmware = { kind: "firmware", firmwarePath: "/f" } as const;
    expect(cmdlineOf({ ...vm, boot: firmware, config })).toBeUndefined();
  });
});

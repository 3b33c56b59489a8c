import type { Attachment } from "@silkvm/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type VfioData, vfioKind, type VfioRequest } from "../src/index.ts";
import { scene, type Scene, spare } from "./support/scene.ts";

let at: Scene;
beforeEach(async () => {
  at = await scene();
});
afterEach(() => at[Symbol.asyncDispose]());

const plan = (request: Partial<VfioRequest> = {}) =>
  vfioKind.plan(at.vm, { pci: spare, bind: true, ...request }, at.context());
const former = { address: spare, is: "1b36:0010", driver: "nvme", driverOverride: null };

async function attach(owner: { id: string; name: string }, data: Partial<VfioData>) {
  const { facts } = at.pci.host;
  const whole: VfioData = { pci: spare, group: 5, taken: [], bootId: facts.bootId, ...data };
  const attachment: Attachment = {
    kind: "vfio",
    id: "d",
    data: whole,
    state: "attached",
    keep: false,
  };
  at.attached.push({ vm: owner, attachment });
}

async function block(
  name: string,
  number: string,
  below = `/sys/devices/pci0000:00/${spare}/nvme/nvme0`,
) {
  await at.pci.write(`${below}/${name}/dev`, `${number}\n`);
  await at.pci.link(`/sys/class/block/${name}`, `${below}/${name}`);
  await at.pci.write(`/dev/${name}`, "");
}

async function network(name: string, below = `/sys/devices/pci0000:00/${spare}/net`) {
  await at.pci.write(`${below}/${name}/flags`, "0x1003\n");
  await at.pci.link(`/sys/class/net/${name}`, `${below}/${name}`);
}

describe("a plan", () => {
  it("says what will be, and whose the device was; nothing is changed by it", async () => {
    const planned = await plan({ pci: "00:10.0" });
    expect(planned).toEqual({
      id: "silk-vfio-000000100",
      data: { pci: spare, group: 5, taken: [former], bootId: at.pci.host.facts.bootId },
    });
    expect([at.pci.driver(spare), await at.pci.override(spare)]).toEqual(["nvme", "(null)"]);
    expect(at.warnings).toEqual([]);
  });

  it("takes nothing of what is bound to vfio-pci already, and takes the id that is given", async () => {
    await at.pci.host.files.writeInPlace("/sys/bus/pci/drivers/nvme/unbind", spare);
    await at.pci.host.files.writeInPlace(
      `/sys/bus/pci/devices/${spare}/driver_override`,
      "vfio-pci",
    );
    await at.pci.host.files.writeInPlace("/sys/bus/pci/drivers_probe", spare);
    expect(await plan({ bind: false, id: "disk-2" })).toMatchObject({
      id: "disk-2",
      data: { taken: [] },
    });
  });

  it("takes the whole group, bridges left out, and those without a driver too", async () => {
    await at.pci.addDevice({ address: "0000:00:10.1", group: 5, class: "0x040300" });
    await at.pci.addDevice({
      address: "0000:00:0f.0",
      group: 5,
      class: "0x060400",
      driver: "pcieport",
    });
    const { data } = await plan();
    expect(data.taken).toEqual([former, { ...former, address: "0000:00:10.1", driver: null }]);
  });

  it("knows whose a device was that was bound for another one of its group", async () => {
    await at.pci.addDevice({
      address: "0000:00:10.1",
      group: 5,
      driver: "vfio-pci",
      native: "snd",
    });
    const other = { ...former, address: "0000:00:10.1", driver: "snd" };
    await attach(at.vm, { pci: "0000:00:10.1", taken: [other] });
    expect((await plan()).data.taken).toEqual([former, other]);
  });

  it("warns of a device that cannot be reset", async () => {
    await at.pci.write(`/sys/devices/pci0000:00/${spare}/reset_method`, "\n");
    await plan();
    expect(at.warnings).toEqual([expect.stringContaining("cannot be reset")]);
  });
});

describe("a plan is refused, with nothing changed, where", () => {
  afterEach(async () => {
    expect(await at.pci.override(spare)).toBe("(null)");
  });

  it("the address is none", async () => {
    await expect(plan({ pci: "nvme0" })).rejects.toMatchObject({ code: "INVALID_PCI_ADDRESS" });
  });

  it.each(["", "-x", "_disk0", "silk-disk-x", "a b", "x".repeat(64), "é"])(
    "the id is %j",
    async (id) => {
      await expect(plan({ id })).rejects.toMatchObject({ code: "INVALID_DEVICE_ID" });
    },
  );

  it("there is no such device", async () => {
    await expect(plan({ pci: "ff:1f.0" })).rejects.toMatchObject({
      code: "PCI_DEVICE_NOT_FOUND",
      hint: expect.stringContaining("silk host devices") as string,
    });
  });

  it("it is a bridge", async () => {
    await at.pci.addDevice({ address: "0000:00:01.0", class: "0x060400", driver: "pcieport" });
    await expect(plan({ pci: "00:01.0" })).rejects.toMatchObject({ code: "PCI_DEVICE_UNSUITABLE" });
  });

  it("the host has no IOMMU, or the device is in no group", async () => {
    await at.pci.addDevice({ address: "0000:00:11.0", driver: "nvme" });
    await expect(plan({ pci: "00:11.0" })).rejects.toThrow("is in no IOMMU group");
    await at.pci.remove("/sys/kernel/iommu_groups");
    await expect(plan({ pci: "00:11.0" })).rejects.toMatchObject({
      code: "NO_IOMMU",
      kind: "unsupported",
      hint: expect.stringMatching(/BIOS.*intel_iommu=on/) as string,
    });
  });

  it("it is not bound to vfio-pci, and is not to be", async () => {
    await expect(plan({ bind: false })).rejects.toMatchObject({
      code: "DEVICE_NOT_BOUND",
      message: `${spare} belongs to the driver nvme, and not to vfio-pci`,
      hint: expect.stringContaining("--bind") as string,
    });
  });

  it("its group is not whole", async () => {
    const pci = "0000:00:12.0";
    await at.pci.addDevice({ address: pci, group: 6, driver: "vfio-pci" });
    await at.pci.addDevice({ address: "0000:00:12.1", group: 6, driver: "snd", class: "0x040300" });
    await at.pci.addDevice({ address: "0000:00:12.2", group: 6 });
    await expect(plan({ pci, bind: false })).rejects.toMatchObject({
      code: "GROUP_NOT_WHOLE",
      message: expect.stringContaining("0000:00:12.1 (snd)") as string,
      details: { others: ["0000:00:12.1"] },
    });
    await at.pci.host.files.writeInPlace("/sys/bus/pci/drivers/snd/unbind", "0000:00:12.1");
    expect((await plan({ pci, bind: false })).data.taken).toEqual([]);
  });

  it("this VM or another one has it", async () => {
    await attach(at.vm, {});
    await expect(plan()).rejects.toMatchObject({ code: "DEVICE_EXISTS" });
    at.attached.length = 0;
    await attach({ id: "b2", name: "db" }, {});
    await expect(plan()).rejects.toMatchObject({
      code: "DEVICE_IN_USE",
      message: `the VM db has ${spare} already, as d`,
      hint: expect.stringContaining("silk vm device detach db --id d") as string,
    });
  });

  it("another VM has another one of its group", async () => {
    await attach({ id: "b2", name: "db" }, { pci: "0000:00:10.1" });
    await expect(plan()).rejects.toMatchObject({ code: "GROUP_IN_USE" });
    at.attached.length = 0;
    await attach(at.vm, { pci: "0000:00:10.1" });
    await plan();
    at.attached.length = 0;
    await attach({ id: "b2", name: "db" }, { pci: "0000:00:10.1", bootId: "an earlier one" });
    await plan();
  });

  it("another program has its group open", async () => {
    const identity = { bootId: "", pid: 42, startTime: 1 };
    at.pci.openers.push({ path: "/dev/vfio/5", process: { identity, argv: ["/usr/bin/qemu"] } });
    await expect(plan()).rejects.toMatchObject({
      code: "GROUP_IN_USE",
      message: expect.stringContaining("qemu (pid 42)") as string,
    });
  });

  it("there is no module vfio-pci", async () => {
    await at.pci.remove("/sys/bus/pci/drivers/vfio-pci");
    at.pci.modprobe = () => ({ exitCode: 1, stderr: "Module vfio-pci not found" });
    await expect(plan()).rejects.toMatchObject({
      code: "VFIO_UNAVAILABLE",
      message: expect.stringContaining("Module vfio-pci not found") as string,
    });
    at.pci.modprobe = () => {
      throw Object.assign(new Error("spawn modprobe ENOENT"), { code: "ENOENT" });
    };
    await expect(plan()).rejects.toThrow("there is no modprobe");
  });

  it("this user may not bind it, or may not use its group", async () => {
    at.pci.denied.add(`/sys/bus/pci/devices/${spare}/driver_override`);
    await expect(plan()).rejects.toMatchObject({ code: "PERMISSION_DENIED", kind: "denied" });
    const pci = "0000:00:12.0";
    await at.pci.addDevice({ address: pci, group: 6, driver: "vfio-pci" });
    at.pci.denied.add("/dev/vfio/6");
    await expect(plan({ pci, bind: false })).rejects.toMatchObject({
      code: "PERMISSION_DENIED",
      hint: expect.stringContaining("chown") as string,
    });
    await at.pci.remove("/dev/vfio/6");
    await expect(plan({ pci, bind: false })).rejects.toMatchObject({ code: "VFIO_UNAVAILABLE" });
  });

  it("the VMM may not lock the guest's memory", async () => {
    const vm = { ...at.vm, runtime: { vmm: { pid: 77 } } } as typeof at.vm;
    await at.pci.write(
      "/proc/77/limits",
      "Max locked memory         8388608              8388608     bytes\n",
    );
    await at.pci.write("/proc/77/status", "CapEff:\t0000000000000000\n");
    const request = { pci: spare, bind: true };
    await expect(vfioKind.plan(vm, request, at.context())).rejects.toMatchObject({
      code: "MEMORY_LOCK_LIMIT",
      details: { memoryBytes: 2 ** 30, limitBytes: 8_388_608 },
    });
    await at.pci.write("/proc/77/status", "CapEff:\t000001ffffffffff\n");
    await vfioKind.plan(vm, request, at.context());
  });
});

describe("a device that the host uses is refused without force:", () => {
  const refusedFor = async (what: string, pci = spare): Promise<void> => {
    const error = await plan({ pci }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "DEVICE_IN_USE",
      hint: expect.stringContaining("--force") as string,
    });
    expect((error as { details: { uses: string[] } }).details.uses).toContain(what);
    expect((await plan({ pci, force: true })).data.taken.length).toBeGreaterThan(0);
  };
  const mount = (line: string) => at.pci.write("/proc/1/mountinfo", `${line}\n`);

  it("its disk is mounted", async () => {
    await block("nvme0n1", "259:0");
    await plan();
    await mount("30 1 259:0 / /srv/my\\040data rw - ext4 /dev/nvme0n1 rw");
    await refusedFor("nvme0n1 is mounted at /srv/my data");
  });

  it("a partition of its disk is mounted", async () => {
    await block("nvme0n1", "259:0");
    await block("nvme0n1p1", "259:1", `/sys/devices/pci0000:00/${spare}/nvme/nvme0/nvme0n1`);
    await mount("30 1 259:1 / / rw - ext4 /dev/root rw");
    await refusedFor("nvme0n1p1 is mounted at /");
  });

  it("LVM on RAID on its disk is mounted", async () => {
    await block("nvme0n1", "259:0");
    await block("md0", "9:0", "/sys/devices/virtual/block");
    await block("dm-0", "254:0", "/sys/devices/virtual/block");
    await at.pci.write(`/sys/devices/pci0000:00/${spare}/nvme/nvme0/nvme0n1/holders/md0`, "");
    await refusedFor("nvme0n1 is part of md0");
    await at.pci.write("/sys/devices/virtual/block/md0/holders/dm-0", "");
    await mount("30 1 254:0 / /var rw - xfs /dev/mapper/vg-var rw");
    await refusedFor("dm-0 is mounted at /var");
  });

  it("its disk is of a btrfs, or swap", async () => {
    await block("nvme0n1", "259:0");
    await at.pci.write("/sys/fs/btrfs/f00d/devices/nvme0n1", "");
    await refusedFor("nvme0n1 is part of a mounted btrfs");
    await mount("30 1 0:44 / /data rw - btrfs /dev/nvme0n1 rw");
    await refusedFor("nvme0n1 is mounted at /data");
    await at.pci.write("/proc/1/mountinfo", "");
    await at.pci.write(
      "/proc/swaps",
      "Filename Type Size Used Priority\n/dev/nvme0n1 partition 1 0 -2\n",
    );
    await refusedFor("nvme0n1 is swap");
  });

  it("its disk has several controllers, and is mounted", async () => {
    const subsystem = "/sys/devices/virtual/nvme-subsystem/nvme-subsys0";
    await at.pci.write(`/sys/devices/pci0000:00/${spare}/nvme/nvme0/cntlid`, "1");
    await block("nvme0n1", "259:0", subsystem);
    await at.pci.link(`${subsystem}/nvme0`, `/sys/devices/pci0000:00/${spare}/nvme/nvme0`);
    await mount("30 1 259:0 / /srv rw - ext4 /dev/nvme0n1 rw");
    await refusedFor("nvme0n1 is mounted at /srv");
  });

  it("another process has its disk open", async () => {
    await block("nvme0n1", "259:0");
    const identity = { bootId: "", pid: 9, startTime: 1 };
    at.pci.openers.push({
      path: "/dev/nvme0n1",
      process: { identity, argv: ["cloud-hypervisor"] },
    });
    await refusedFor("nvme0n1 is open in cloud-hypervisor (pid 9)");
  });

  it("a process has something else of it open: a screen, a sound card", async () => {
    const path = `/sys/devices/pci0000:00/${spare}/drm/card0`;
    await at.pci.write(`${path}/uevent`, "MAJOR=226\nMINOR=0\nDEVNAME=dri/card0\n");
    await at.pci.link("/sys/dev/char/226:0", path);
    await plan();
    const identity = { bootId: "", pid: 9, startTime: 1 };
    at.pci.openers.push({ path: "/dev/dri/card0", process: { identity, argv: ["/usr/bin/Xorg"] } });
    await refusedFor("dri/card0 is open in Xorg (pid 9)");
  });

  it("it serves a virtiofs that is mounted", async () => {
    const path = `/sys/devices/pci0000:00/${spare}/virtio3`;
    await at.pci.write(`${path}/features`, "");
    await at.pci.link(`${path}/driver`, "/sys/bus/virtio/drivers/virtiofs");
    await at.pci.write("/sys/bus/virtio/drivers/virtiofs/bind", "");
    await plan();
    await mount("30 1 0:30 / / rw - virtiofs machine rw");
    await refusedFor("virtiofs is mounted at /");
  });

  it("its interface has the default route, by IPv4 or IPv6", async () => {
    await network("eth0");
    await plan();
    await at.pci.write(
      "/proc/net/route",
      "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\neth0 00000000 010200C0 0003 0 0 0 00000000 0 0 0\n",
    );
    await refusedFor("eth0 has the default route");
    await at.pci.remove("/proc/net/route");
    const zero = "0".repeat(32);
    await at.pci.write(
      "/proc/net/ipv6_route",
      `${zero} 00 ${zero} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0\n`,
    );
    await refusedFor("eth0 has the default route");
  });

  it("its interface is up and has addresses, link-local ones not counted", async () => {
    await network("eth0");
    await at.pci.write("/proc/net/if_inet6", "fe8000000000000000fc00fffe000001 04 40 20 80 eth0\n");
    await plan();
    await at.pci.write("/proc/net/if_inet6", "fd000000000000000000000000000002 04 40 00 82 eth0\n");
    await refusedFor("eth0 is up and has addresses");
    await at.pci.write(`/sys/devices/pci0000:00/${spare}/net/eth0/flags`, "0x1002\n");
    await plan();
  });

  it("its interface is a port of a bridge that has the default route", async () => {
    await network("eth0");
    await network("br0", "/sys/devices/virtual/net");
    await at.pci.link(
      "/sys/devices/pci0000:00/0000:00:10.0/net/eth0/master",
      "/sys/devices/virtual/net/br0",
    );
    await at.pci.write("/proc/net/route", "br0 00000000 010200C0 0003 0 0 0 00000000 0 0 0\n");
    await refusedFor("eth0 is part of br0");
    await refusedFor("br0 has the default route");
  });

  it("it shows the console, or has virtual functions", async () => {
    await at.pci.write(`/sys/devices/pci0000:00/${spare}/boot_vga`, "1\n");
    await at.pci.write(`/sys/devices/pci0000:00/${spare}/sriov_numvfs`, "4\n");
    await refusedFor("it shows the host's console");
    await refusedFor("4 virtual functions live on it");
  });

  it("another one of its group is used", async () => {
    await at.pci.addDevice({ address: "0000:00:10.1", group: 5, driver: "snd" });
    await block("nvme0n1", "259:0");
    await mount("30 1 259:0 / /srv rw - ext4 /dev/nvme0n1 rw");
    await refusedFor(`${spare}, of the same group: nvme0n1 is mounted at /srv`, "0000:00:10.1");
  });
});

import type { VmView } from "@silkvm/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import { directBoot } from "./box/guest.ts";
import { spareAddress as spare, spareContent } from "./box/machine.ts";
import { onLongBox } from "./box/suite.ts";
import { traces } from "./box/traces.ts";

const mac = "52:54:00:00:00:01";
const timeout = 300_000;
const id = "silk-vfio-000000100";
const sysfs = `/sys/bus/pci/devices/${spare}`;

interface HostDevice {
  readonly address: string;
  readonly driver: string | null;
  readonly usable: string;
  readonly why: readonly string[];
}

onLongBox("a PCI device on a host in a box", (host) => {
  let before: string;

  beforeEach(async () => {
    before = await traces(host());
    const size = ["--cpus", "1", "--memory", "128M", "--storage", "0"];
    const nic = ["--bridge", "br0", "--mac", mac];
    await host().silk.ok("vm", "run", "--name", "web", ...directBoot(host()), ...nic, ...size);
    await inGuest("true");
  }, timeout);
  afterEach(async () => {
    await host().silk.ok("vm", "rm", "--force", "web");
    expect(await hostState()).toBe("nvme (null)");
    expect(await traces(host())).toBe(before);
  }, timeout);

  const inGuest = (script: string): Promise<string> => host().guestSh(mac, script);
  /** The driver that has the spare disk on the host, and the one that alone may have it. */
  const hostState = async (): Promise<string> =>
    (await host().sh(`basename "$(realpath ${sysfs}/driver)"; cat ${sysfs}/driver_override`))
      .trim()
      .replace("\n", " ");
  /** The disk's file on the host, once it is there: its driver gives it a new name each time. */
  const hostDisk = async (): Promise<string> => {
    const find = `disk=$(echo ${sysfs}/nvme/nvme*/nvme*n1); disk=/dev/\${disk##*/}`;
    return (
      await host().sh(`${find}; until [ -b "$disk" ]; do sleep 0.1; ${find}; done; echo "$disk"`)
    ).trim();
  };
  const attach = ["vm", "device", "attach", "web", "--pci", "00:10.0"];
  const deviceOf = async (address: string): Promise<HostDevice | undefined> =>
    (await host().silk.json<HostDevice[]>("host", "devices")).find(
      (one) => one.address === address,
    );
  const waitInGuest = (what: string): Promise<string> =>
    inGuest(`n=0; until ${what}; do n=$((n + 1)); [ $n -lt 300 ] || exit 9; usleep 100000; done`);

  it("is read and written by the guest, and the host's again after that", async () => {
    const { silk } = host();
    expect(await deviceOf(spare)).toMatchObject({ driver: "nvme", usable: "bind", why: [] });
    const unbound = await silk.run([...attach, "--json"]);
    expect([unbound.code, JSON.parse(unbound.stdout).error.code]).toEqual([4, "DEVICE_NOT_BOUND"]);
    expect(await silk.ok(...attach, "--bind")).toBe(`${id}\n`);
    expect(await hostState()).toBe("vfio-pci vfio-pci");
    await waitInGuest("[ -b /dev/nvme0n1 ]");
    const { length } = spareContent;
    expect(await inGuest(`dd if=/dev/nvme0n1 bs=${length} count=1 2>/dev/null`)).toBe(spareContent);
    await inGuest("echo by the guest | dd of=/dev/nvme0n1 bs=4096 seek=1 conv=fsync");
    expect(
      await inGuest("grep nvme /proc/interrupts | awk '{ n += $2 } END { print (n > 0) }'"),
    ).toBe("1\n");
    expect(await silk.json("vm", "device", "list", "web")).toMatchObject([
      { id, pci: spare, state: "attached", bound: [{ pci: spare, driver: "nvme" }] },
    ]);
    expect(await deviceOf(spare)).toMatchObject({
      usable: "no",
      why: [expect.stringContaining("has its group")],
    });
    const again = await silk.run([...attach, "--bind", "--json"]);
    expect([again.code, JSON.parse(again.stdout).error.code]).toEqual([4, "DEVICE_EXISTS"]);
    const saved = await silk.run(["snapshot", "save", "web", "--json"]);
    expect([saved.code, JSON.parse(saved.stdout).error.code]).toEqual([5, "SNAPSHOT_UNSUPPORTED"]);

    expect(await silk.ok("vm", "device", "detach", "web", "--id", "00:10.0")).toBe(`${id}\n`);
    expect(await hostState()).toBe("nvme (null)");
    await waitInGuest("[ ! -e /dev/nvme0n1 ]");
    expect(
      await host().sh(`dd if=${await hostDisk()} bs=4096 skip=1 count=1 2>/dev/null | head -1`),
    ).toBe("by the guest\n");
    // And once more: the VMM was left as it was.
    expect(await silk.ok(...attach, "--bind")).toBe(`${id}\n`);
    await waitInGuest("[ -b /dev/nvme0n1 ]");
    expect(await inGuest("dd if=/dev/nvme0n1 bs=4096 skip=1 count=1 2>/dev/null | head -1")).toBe(
      "by the guest\n",
    );
  });

  it("is refused where the host uses it", async () => {
    const disk = await hostDisk();
    const silks = (await host().silk.json<HostDevice[]>("host", "devices")).filter(({ why }) =>
      why.some((what) => what.endsWith("is mounted at /var/lib/silk")),
    );
    expect(silks).toHaveLength(1);
    await host().sh(`mkfs.ext4 -q ${disk}; mkdir -p /root/spare; mount ${disk} /root/spare`);
    const refused = await host().silk.run([...attach, "--bind"]);
    expect(refused.code).toBe(4);
    expect(refused.stderr).toContain(
      `the host uses ${spare}: ${disk.slice(5)} is mounted at /root/spare`,
    );
    await host().sh("umount /root/spare");
  });

  it("is given back by the next command after an attach that was killed in the middle", async () => {
    await host()
      .sh(`${host().silkCommand} vm device attach web --pci ${spare} --bind >/dev/null 2>&1 & pid=$!
      until grep -q vfio-pci ${sysfs}/driver_override; do :; done
      kill -9 $pid; wait $pid || true`);
    await host().silk.ok("vm", "start", "web");
    expect(await hostState()).toBe("nvme (null)");
    expect(await host().silk.json("vm", "device", "list", "web")).toEqual([]);
    expect(await host().silk.ok(...attach, "--bind")).toBe(`${id}\n`);
    await waitInGuest("[ -b /dev/nvme0n1 ]");
  });

  it("is given back by the next command after its VMM was killed", async () => {
    await host().silk.ok(...attach, "--bind");
    const { runtime } = await host().silk.json<VmView>("vm", "inspect", "web");
    await host().sh(
      `kill -9 ${runtime?.vmm.pid}; while [ -e /proc/${runtime?.vmm.pid}/exe ]; do :; done`,
    );
    expect(await hostState()).toBe("vfio-pci vfio-pci");
    await host().silk.ok("vm", "stop", "web");
    expect(await hostState()).toBe("nvme (null)");
  });
});

import type { VmSummary, VmView } from "@silkvm/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { directBoot, guestIsUp, inGuest } from "./box/guest.ts";
import { onBox } from "./box/suite.ts";
import { traces } from "./box/traces.ts";
import { isLong } from "./long.ts";

const mac = "52:54:00:00:00:01";
const itLong = it.runIf(isLong);
const small = ["--cpus", "1", "--memory", "128M"];

onBox("on a host in a box", (host) => {
  it("takes a Linux guest from create to the power button, and leaves nothing of it", async () => {
    const box = host();
    const { silk } = box;
    const before = await traces(box);
    await box.sh("truncate -s 1M /root/button.img");
    const disk = "/root/button.img,serial=button,direct=off";
    const boot = ["--firmware", box.guest.firmware, "--disk", disk, ...small];
    const id = (await silk.ok("vm", "create", "--name", "pc", ...boot)).trim();
    expect(await silk.ok("vm", "start", "pc")).toBe(`${id}\n`);
    await guestIsUp(box, "pc");
    expect(await silk.json<VmSummary[]>("vm", "list")).toMatchObject([{ id, state: "running" }]);
    expect(await inGuest(box, "pc", "uname -s")).toBe("Linux\n");
    expect(await inGuest(box, "pc", "dmesg | head -1")).toMatch(/\] Linux version \d/);

    expect(await silk.ok("vm", "stop", "pc", "--timeout", "60s")).toBe(`${id}\n`);
    expect(await box.sh("head -1 /root/button.img | tr -d '\\0'")).toBe(
      "the power button was pressed\n",
    );
    expect(await silk.json<VmView>("vm", "inspect", "pc")).toMatchObject({ state: "stopped" });
    await silk.ok("vm", "rm", "pc");
    expect(await silk.json("vm", "list", "--all")).toEqual([]);
    expect(await traces(box)).toBe(before);
  });

  itLong(
    "saves, clones, restores and hibernates a Linux guest with what it has in memory and on its disk",
    async () => {
      const box = host();
      const { silk } = box;
      const before = await traces(box);
      const shape = ["--storage", "64M", "--bridge", "br0", "--mac", mac, ...small];
      await silk.ok("vm", "run", "--name", "web", ...directBoot(box), ...shape);
      await box.guestSh(mac, "mkdir /disk; mount -t ext4 /dev/vda /disk");
      /** Gives what the guest had counted to by then. */
      const remember = async (word: string): Promise<number> => {
        const script = `echo ${word} >/tmp/word; echo ${word} >/disk/word; sync; cat /tmp/count`;
        return Number(await box.guestSh(mac, script));
      };
      const recall = async (from: string): Promise<readonly string[]> =>
        (await box.guestSh(from, "cat /tmp/word /disk/word /tmp/count")).trim().split("\n");

      // KVM's own nested virtualization, and a VMM into which nothing was preloaded.
      expect(await box.sh("cat /sys/module/kvm_amd/parameters/npt")).toBe("Y\n");
      const { runtime } = await silk.json<VmView>("vm", "inspect", "web");
      const environment = await box.sh(`tr '\\0' '\\n' </proc/${runtime?.vmm.pid}/environ`);
      expect(environment).toContain("PATH=");
      expect(environment).not.toContain("LD_PRELOAD");

      const savedAt = await remember("saved");
      const saved = await silk.json<{ id: string }>("snapshot", "save", "web", "--name", "golden");
      await remember("later");
      await silk.ok("vm", "clone", "golden", "--name", "copy");
      // The copy has a NIC of its own, which was exchanged while its system ran.
      const [nic] = await silk.json<{ mac: string }[]>("vm", "net", "list", "copy");
      expect(nic?.mac).not.toBe(mac);
      const [inMemory, onDisk, count] = await recall(nic?.mac ?? "");
      expect([inMemory, onDisk]).toEqual(["saved", "saved"]);
      expect(Number(count)).toBeGreaterThanOrEqual(savedAt);
      expect((await recall(mac)).slice(0, 2)).toEqual(["later", "later"]);
      await silk.ok("vm", "rm", "--force", "copy");

      await silk.ok("vm", "restore", "web", saved.id);
      expect((await recall(mac)).slice(0, 2)).toEqual(["saved", "saved"]);

      const asleepAt = await remember("asleep");
      await silk.ok("vm", "hibernate", "web");
      expect(await box.sh("busybox pgrep cloud-hyperviso || true")).toBe("");
      await silk.ok("vm", "wake", "web");
      const [memory, disk, counted] = await recall(mac);
      expect([memory, disk]).toEqual(["asleep", "asleep"]);
      expect(Number(counted)).toBeGreaterThanOrEqual(asleepAt);

      await silk.ok("vm", "rm", "--force", "web");
      await silk.ok("snapshot", "rm", "golden");
      expect(await traces(box)).toBe(before);
    },
  );

  describe("with a Linux guest on a bridge", () => {
    let before: string;

    beforeAll(async () => {
      const box = host();
      before = await traces(box);
      const nic = ["--bridge", "br0", "--mac", mac];
      const shape = ["--storage", "0", "--shared-memory", ...nic, ...small];
      await box.silk.ok("vm", "run", "--name", "net", ...directBoot(box), ...shape);
      await box.guestSh(mac, "true");
    }, 300_000);
    afterAll(async () => {
      const box = host();
      await box.silk.ok("vm", "rm", "--force", "net");
      expect(await traces(box)).toBe(before);
    }, 300_000);
    /** Waits until something is so in the guest. */
    const until = (what: string): Promise<string> =>
      host().guestSh(
        mac,
        `n=0; until ${what}; do n=$((n + 1)); [ $n -lt 300 ] || exit 9; usleep 100000; done`,
      );

    it("plugs a second NIC that is pinged both ways, and takes it away", async () => {
      const box = host();
      await box.sh("ip addr add 10.77.0.1/24 dev br0; ip addr add 10.78.0.1/24 dev br0");
      await box.guestSh(mac, "ip addr add 10.77.0.2/24 dev eth0; ping -c 1 -w 20 10.77.0.1");
      await box.silk.ok("vm", "net", "set", "net", "--nics", "2");
      const nics = await box.silk.json<{ mac: string; tap: string }[]>("vm", "net", "list", "net");
      expect(nics[0]).toMatchObject({ mac });
      await until("[ -e /sys/class/net/eth1 ]");
      expect(await box.guestSh(mac, "cat /sys/class/net/eth1/address")).toBe(`${nics[1]?.mac}\n`);
      await box.guestSh(
        mac,
        "ip addr add 10.78.0.2/24 dev eth1; ip link set eth1 up; ping -c 1 -w 20 -I eth1 10.78.0.1",
      );
      await box.sh("busybox ping -c 1 -w 20 10.78.0.2");

      await box.silk.ok("vm", "net", "set", "net", "--nics", "1");
      await until("[ ! -e /sys/class/net/eth1 ]");
      expect(await box.sh("ls /sys/class/net")).not.toContain(nics[1]?.tap);
      expect(await box.silk.json("vm", "net", "list", "net")).toMatchObject([{ mac }]);
      await box.guestSh(mac, "ping -c 1 -w 20 10.77.0.1");
      await box.sh("busybox ping -c 1 -w 20 10.77.0.2");
    });

    it("attaches a disk that the guest writes, and takes it away with what is on it", async () => {
      const box = host();
      await box.sh("truncate -s 16M /var/lib/backup.img");
      const disk = ["--path", "/var/lib/backup.img", "--name", "backup", "--no-direct-io"];
      await box.silk.ok("vm", "disk", "attach", "net", ...disk);
      await until("grep -qx backup /sys/block/vd*/serial");
      await box.guestSh(
        mac,
        "cd /sys/block; for disk in vd*; do ! grep -qx backup $disk/serial || echo from the guest | dd of=/dev/$disk conv=fsync; done",
      );
      expect(await box.sh("head -1 /var/lib/backup.img | tr -d '\\0'")).toBe("from the guest\n");
      await box.silk.ok("vm", "disk", "detach", "net", "--name", "backup");
      await until("! ls /sys/block | grep vd");
      expect(await box.silk.json("vm", "disk", "list", "net")).toEqual([]);
      expect(await box.sh("head -1 /var/lib/backup.img | tr -d '\\0'")).toBe("from the guest\n");
    });

    it("shares a directory that the host and the guest read and write", async () => {
      const box = host();
      await box.sh("mkdir /var/lib/share; echo from the host >/var/lib/share/host");
      await box.silk.ok("vm", "fs", "attach", "net", "--tag", "share", "--dir", "/var/lib/share");
      await until("mount -t virtiofs share /mnt");
      expect(await box.guestSh(mac, "cat /mnt/host")).toBe("from the host\n");
      await box.guestSh(mac, "echo from the guest >/mnt/guest; umount /mnt");
      expect(await box.sh("cat /var/lib/share/guest")).toBe("from the guest\n");
      await box.silk.ok("vm", "fs", "detach", "net", "--tag", "share");
      expect(await box.silk.json("vm", "fs", "list", "net")).toEqual([]);
      expect(await box.sh("busybox pgrep virtiofsd || true")).toBe("");
      await box.guestSh(mac, "! mount -t virtiofs share /mnt");
      // And once more: the tag is free again, and what is shared to be read is not written.
      const again = ["vm", "fs", "attach", "net", "--tag", "share", "--dir", "/var/lib/share"];
      await box.silk.ok(...again, "--readonly");
      await until("mount -t virtiofs share /mnt");
      expect(await box.guestSh(mac, "cat /mnt/guest")).toBe("from the guest\n");
      await box.guestSh(mac, "! echo more >/mnt/more; umount /mnt");
      expect(await box.sh("ls /var/lib/share")).toBe("guest\nhost\n");
      await box.silk.ok("vm", "fs", "detach", "net", "--tag", "share");
    });
  });
});

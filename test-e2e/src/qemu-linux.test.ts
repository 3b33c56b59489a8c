import { mkdir, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createEngine, type Engine, type Vm } from "@silkvm/core";
import { netResize } from "@silkvm/netresize";
import qemuPlugin from "@silkvm/qemu";
import { diskKind } from "@silkvm/storage";
import { linuxHost } from "@silkvm/sys";
import { fsAttach, fsDetach, virtiofsdPlaces } from "@silkvm/virtiofs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canMakeTaps, vmmMadeTaps } from "./ch-snapshot-network.ts";
import { linuxGuest } from "./linux-guest.ts";
import { inLinux } from "./linux-shell.ts";
import { qemuMissing, qemuSettings } from "./real-qemu.ts";
import { makeSandbox, type Sandbox } from "./sandbox.ts";

const guest = linuxGuest();
const virtiofsdIsThere = virtiofsdPlaces.some((path) => existsSync(path));
const missing = qemuMissing ?? ("missing" in guest ? guest.missing : undefined);

describe.skipIf(missing !== undefined || "missing" in guest)("a Linux guest on qemu", () => {
  let sandbox: Sandbox;
  let engine: Engine;
  const boot = "missing" in guest ? { kernel: "", cmdline: "" } : guest;
  const spec = { cpus: 1, memoryBytes: 256 * 1024 ** 2, storageBytes: 16 * 1024 ** 2, boot };

  beforeAll(async () => {
    sandbox = await makeSandbox("cloud-hypervisor", [vmmMadeTaps()], qemuSettings);
    engine = await sandbox.engine();
  });
  afterAll(async () => {
    await engine[Symbol.asyncDispose]();
    await sandbox[Symbol.asyncDispose]();
  });

  it("has its console, its disks by their serials and its own number; and has stopped when it switches itself off", async () => {
    const vm = await engine.create({
      ...spec,
      name: "linux",
      dataDisks: [{ sizeBytes: 2 ** 24, name: "more" }],
    });
    await vm.start();
    expect(await inLinux(vm, "uname -s; cat /sys/block/vd*/serial")).toBe("Linux\ncocoon-cowmore");
    const { observed } = await vm.inspect();
    expect(observed.devices?.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(["disk", "rng", "balloon", "console"]),
    );
    expect(observed.memoryBytes).toBe(spec.memoryBytes);
    await inLinux(vm, "(sleep 0.2; poweroff -f) >/dev/null 2>&1 &");
    const { runtime } = await vm.inspect();
    if (runtime !== undefined)
      await engine.host.processes.waitForExit(runtime.vmm, { timeoutMs: 20_000 });
    expect((await vm.inspect()).state).toBe("stopped");
  }, 90_000);

  it("gets and loses disks, NICs and shared directories while it runs, and goes on as its clone with NICs of its own", async (test) => {
    test.skip(!canMakeTaps, "TAPs need root");
    const vm = await engine.create({
      ...spec,
      name: "hot",
      nics: 1,
      sharedMemory: true,
    });
    await vm.start();
    const macs = async (of: Vm): Promise<string> =>
      await inLinux(of, "cat /sys/class/net/eth*/address | sort");
    const until = (script: string, wanted: string) =>
      inLinux(
        vm,
        `for i in $(seq 100); do [ "$(${script})" = "${wanted}" ] && break; usleep 100000; done; ${script}`,
      );
    const path = join(sandbox.dir, "extra.raw");
    await writeFile(path, Buffer.alloc(2 ** 20, "silk"));
    const disk = { path, name: "extra" };
    await engine.devices.attach(vm.id, diskKind, disk);
    expect(await until("cat /sys/block/vd*/serial", "cocoon-cowextra")).toBe("cocoon-cowextra");
    expect(await inLinux(vm, "head -c 8 /dev/vdb")).toBe("silksilk");
    await engine.devices.detach(vm.id, diskKind, "extra");
    expect(await until("cat /sys/block/vd*/serial", "cocoon-cow")).toBe("cocoon-cow");

    await netResize(engine, vm.id, { target: 2 });
    const wanted = (await vm.inspect()).nics.map(({ mac }) => mac);
    await until("ls /sys/class/net | grep -c eth", "2");
    expect((await macs(vm)).split("\n")).toEqual([...wanted].sort());
    await netResize(engine, vm.id, { target: 1 });
    expect(await macs(vm)).toBe(wanted[0]);

    if (virtiofsdIsThere) {
      const dir = join(sandbox.dir, "shared");
      await mkdir(dir);
      await writeFile(join(dir, "word"), "from the host");
      await fsAttach(engine, vm.id, { tag: "shared", dir });
      expect(
        await inLinux(
          vm,
          "for i in $(seq 100); do mount -t virtiofs shared /mnt 2>/dev/null && break; usleep 100000; done; cat /mnt/word; umount /mnt",
        ),
      ).toBe("from the host");
      await fsDetach(engine, vm.id, "shared");
    }

    await inLinux(vm, "echo kept >/tmp/word; echo disk >/dev/vda; sync");
    const { id } = await vm.save();
    await inLinux(vm, "echo lost >/tmp/word");
    const { vm: clone } = await engine.clone({ snapshot: id }, { name: "cold" });
    const [nic] = (await clone.inspect()).nics;
    expect(nic?.mac).not.toBe(wanted[0]);
    const own = "cat /sys/class/net/eth*/address 2>/dev/null";
    expect(
      await inLinux(
        clone,
        `for i in $(seq 100); do [ "$(${own})" = "${nic?.mac}" ] && break; usleep 100000; done; ${own}; cat /tmp/word; head -n 1 /dev/vda`,
      ),
    ).toBe(`${nic?.mac}\nkept\ndisk`);
    const clones = (await engine.nics.list(clone.id)).map(({ state, mac }) => [state, mac]);
    expect(clones).toEqual([["attached", nic?.mac]]);
    await vm.restore({ snapshot: id });
    expect(await inLinux(vm, "cat /tmp/word")).toBe("kept");
    expect(await macs(vm)).toBe(wanted[0]);
  }, 180_000);

  it("boots as a microvm, which tells what it lacks", async () => {
    await using small = await makeSandbox("cloud-hypervisor", [], {
      ...qemuSettings,
      qemuMachine: "microvm",
    });
    await using other = await small.engine();
    // Without KVM a microvm has no clock that tells how fast another one is.
    const cmdline = `${boot.cmdline} tsc_early_khz=2000000`;
    const vm = await other.create({ ...spec, boot: { ...boot, cmdline }, name: "small" });
    await vm.start();
    expect(await inLinux(vm, "cat /sys/block/vda/serial")).toBe("cocoon-cow");
    await expect(vm.save()).rejects.toMatchObject({ code: "SNAPSHOT_UNSUPPORTED" });
    const disk = { path: "/nonexistent", name: "extra" };
    await expect(other.devices.attach(vm.id, diskKind, disk)).rejects.toMatchObject({
      code: "CAPABILITY_MISSING",
    });
    // Whoever has other settings by now is told as well.
    await using q35 = await createEngine({
      host: linuxHost(),
      plugins: [qemuPlugin],
      config: { ...small.config, qemuMachine: "q35" },
      cwd: small.dir,
    });
    const path = join(small.dir, "extra.raw");
    await writeFile(path, Buffer.alloc(2 ** 20));
    await expect(
      q35.devices.attach(vm.id, diskKind, { path, name: "extra" }),
    ).rejects.toMatchObject({ code: "CAPABILITY_MISSING" });
    await expect(
      other.create({ boot: { firmware: boot.kernel }, name: "firm" }),
    ).rejects.toMatchObject({ kind: "unsupported" });
  }, 120_000);
});

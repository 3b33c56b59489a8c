import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { diskKind } from "@silkvm/storage";
import { describe, expect, it } from "vitest";
import { type LinuxGuest, linuxGuest } from "./linux-guest.ts";
import { inLinux, untilLinuxIsUp } from "./linux-shell.ts";
import { qemuMissing, qemuSettings } from "./real-qemu.ts";
import { makeSandbox } from "./sandbox.ts";
import { hasMtools } from "./seeds.ts";

const mib = 1024 ** 2;
const guest = linuxGuest("ttyS0");
const firmware = "/usr/share/OVMF/OVMF_CODE.fd";
/** A variable of UEFI that nobody else has, where the guest mounts them. */
const variable = "/mnt/Word-a9240734-834e-41ae-a2e3-ce8a3caf3c1c";
const missing =
  qemuMissing ??
  ("missing" in guest ? guest.missing : undefined) ??
  (existsSync(firmware) ? undefined : `there is no ${firmware} (ovmf)`) ??
  (hasMtools ? undefined : "mtools are not installed");
if (missing !== undefined) console.log(`nothing boots by UEFI on qemu: ${missing}`);

/** A disk from which the firmware's shell starts a Linux. */
async function uefiDisk(dir: string, { kernel, initrd, cmdline }: LinuxGuest): Promise<string> {
  const path = join(dir, "uefi.raw");
  const script = join(dir, "startup.nsh");
  await writeFile(script, `vmlinuz.efi initrd=\\initrd.gz ${cmdline}\r\n`);
  await writeFile(path, "");
  await truncate(path, 64 * mib);
  execFileSync("mformat", ["-i", path, "::"]);
  for (const [from, to] of [
    [kernel, "vmlinuz.efi"],
    [initrd, "initrd.gz"],
    [script, "startup.nsh"],
  ] as const)
    execFileSync("mcopy", ["-i", path, from, `::${to}`]);
  return path;
}

describe.skipIf(missing !== undefined)("a Linux guest under UEFI on qemu", () => {
  it("has its console on the serial line, its disks and its variables, goes back and on as a clone with them, and shuts down by the power button", async () => {
    if ("missing" in guest) throw new Error(guest.missing);
    await using sandbox = await makeSandbox("cloud-hypervisor", [], {
      ...qemuSettings,
      // Nothing switches a guest off before this is over.
      stopGraceMs: 60_000,
    });
    await using engine = await sandbox.engine();
    const vm = await engine.create({
      name: "firm",
      cpus: 1,
      memoryBytes: 256 * mib,
      boot: { firmware },
      disks: [{ path: await uefiDisk(sandbox.dir, guest) }],
      dataDisks: [{ sizeBytes: 16 * mib, name: "heard" }],
    });
    await vm.start();
    await untilLinuxIsUp(vm, 100_000);
    expect(await inLinux(vm, "ls -d /sys/firmware/efi; cat /sys/block/vdb/serial")).toBe(
      "/sys/firmware/efi\nheard",
    );
    const path = join(sandbox.dir, "extra.raw");
    await writeFile(path, Buffer.alloc(mib));
    await engine.devices.attach(vm.id, diskKind, { path, name: "extra" });
    const serials = "cat /sys/block/vd*/serial | grep -c extra";
    const comes = `for i in $(seq 100); do [ "$(${serials})" = 1 ] && break; usleep 100000; done; ${serials}`;
    expect(await inLinux(vm, comes)).toBe("1");
    await engine.devices.detach(vm.id, diskKind, "extra");

    await inLinux(
      vm,
      `printf '#!/bin/sh\\necho pressed >/dev/vdb\\nsync\\npoweroff -f\\n' >/etc/acpi/PWRF/00000080`,
    );
    await inLinux(vm, `mount -t efivarfs vars /mnt; printf '\\7\\0\\0\\0kept' >${variable}`);
    const { id } = await vm.save();
    await inLinux(vm, `printf '\\7\\0\\0\\0lost' >${variable}`);
    await vm.restore({ snapshot: id });
    expect(await inLinux(vm, `tail -c 4 ${variable}`)).toBe("kept");
    await vm.delete({ force: true });
    const { vm: clone } = await engine.clone({ snapshot: id }, { name: "cloned" });
    expect(await inLinux(clone, `cat /sys/block/vdb/serial; tail -c 4 ${variable}`)).toBe(
      "heardkept",
    );
    await clone.stop();
    const { state, disks, paths } = await clone.inspect();
    expect(state).toBe("stopped");
    // Another start begins with what is there.
    await clone.start();
    await clone.stop({ force: true });
    expect(await readFile(join(paths.dataDir, "uefi-vars.fd"), "latin1")).toContain("kept");
    const data = disks.find(({ serial }) => serial === "heard");
    expect((await readFile(data?.path ?? "")).subarray(0, 7).toString()).toBe("pressed");
  }, 180_000);

  it("is switched off where it does not listen to the power button", async () => {
    if ("missing" in guest) throw new Error(guest.missing);
    await using sandbox = await makeSandbox("cloud-hypervisor", [], qemuSettings);
    await using engine = await sandbox.engine();
    const path = await uefiDisk(sandbox.dir, guest);
    const vm = await engine.create({ name: "deaf", boot: { firmware }, disks: [{ path }] });
    await vm.start();
    // The firmware has only begun.
    await vm.stop({ graceMs: 200 });
    expect((await vm.inspect()).state).toBe("stopped");
  }, 60_000);
});

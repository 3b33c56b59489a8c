import { accessSync, constants } from "node:fs";
import { describe, expect, it } from "vitest";
import { directBoot, makeDisk, serialBoot } from "./guest-args.ts";
import { GuestVmm, until } from "./guest-vmm.ts";
import { buildGuest } from "./guest.ts";
import { findRealVmm } from "./real-vmm.ts";

const vmm = findRealVmm();
const { chPath = "" } = vmm;

describe.skipIf(vmm.reason)("the test guest and devices that come and go", () => {
  it("uses a disk that is added and lets go of it, so that its id is free again", async () => {
    const { kernelPath } = await buildGuest({});
    await using vm = await GuestVmm.start(chPath, () => directBoot(kernelPath));
    using guest = await vm.openPty();
    await guest.readLine();
    const before = await guest.command("pci");
    const disk = {
      path: await makeDisk(vm.dir, "hot"),
      id: "hot",
      serial: "hot",
      image_type: "Raw",
    };
    for (const round of ["first", "second"]) {
      await vm.put("vm.add-disk", disk);
      expect(await guest.command("disks")).toBe("disks 1 hot:8192");
      expect(await guest.command(`write hot 0 ${round}`)).toBe("ok");
      expect(await guest.command(`read hot 0`)).toBe(`data ${round}`);
      await vm.put("vm.remove-device", { id: "hot" });
      await until("the disk is gone", async () => !(await vm.hasDevice("hot")));
      expect(await guest.command("disks")).toBe("disks 0");
    }
    expect(await guest.command("pci")).toBe(before);
  });

  it("keeps a device while it is told not to let go, and lets go of it after", async () => {
    const { kernelPath } = await buildGuest({});
    await using vm = await GuestVmm.start(chPath, () => directBoot(kernelPath));
    using guest = await vm.openPty();
    await guest.readLine();
    await vm.put("vm.add-disk", {
      path: await makeDisk(vm.dir, "hot"),
      id: "hot",
      serial: "hot",
      image_type: "Raw",
    });
    expect(await guest.command("noack on")).toBe("ok");
    await vm.put("vm.remove-device", { id: "hot" });
    await countTo(10, guest);
    expect(await vm.hasDevice("hot")).toBe(true);
    expect(await guest.command("disks")).toBe("disks 1 hot:8192");
    expect(await guest.command("noack off")).toBe("ok");
    expect(await vm.hasDevice("hot")).toBe(false);
  });

  it("ignores both removal and the power button when its command line says so, and is quiet", async () => {
    const { kernelPath } = await buildGuest({});
    await using vm = await GuestVmm.start(chPath, async (dir) => [
      ...directBoot(kernelPath, { cmdline: "console=hvc0 noack nopower quiet" }),
      "--disk",
      `path=${await makeDisk(dir, "cold")},id=cold,image_type=raw`,
    ]);
    using guest = await vm.openPty();
    expect(await guest.command("echo the first line")).toBe("the first line");
    await vm.put("vm.remove-device", { id: "cold" });
    await vm.put("vm.power-button");
    await countTo(10, guest);
    expect(await vm.hasDevice("cold")).toBe(true);
    expect(await guest.command("hello")).toBe("silk-guest ready");
  });
});

describe.skipIf(vmm.reason)("the end of the test guest on a real Cloud Hypervisor", () => {
  it.each([1, 2])("powers off when the power button is pressed, with %i vCPUs", async (cpus) => {
    const { kernelPath } = await buildGuest({});
    await using vm = await GuestVmm.start(chPath, () => directBoot(kernelPath, { cpus }));
    using guest = await vm.openPty();
    await guest.readLine();
    await vm.put("vm.power-button");
    expect(await vm.exited()).toBe(0);
  });

  it("does not answer the power button while it is told not to", async () => {
    const { kernelPath } = await buildGuest({});
    await using vm = await GuestVmm.start(chPath, () => directBoot(kernelPath));
    using guest = await vm.openPty();
    await guest.readLine();
    expect(await guest.command("nopower on")).toBe("ok");
    await vm.put("vm.power-button");
    await countTo(10, guest);
    expect(vm.isRunning()).toBe(true);
    expect(await guest.command("nopower off")).toBe("ok");
    await vm.put("vm.power-button");
    expect(await vm.exited()).toBe(0);
  });

  it.each(["reboot", "panic"])("starts anew, with another nonce, on %s", async (command) => {
    const { kernelPath } = await buildGuest({});
    await using vm = await GuestVmm.start(chPath, (dir) =>
      serialBoot(dir, ["--kernel", kernelPath]),
    );
    const nonce = await (async () => {
      using guest = await vm.openSerial();
      await guest.readLine();
      const before = await guest.command("nonce");
      expect(await guest.command(command)).toBe("ok");
      await expect(guest.readLine()).rejects.toThrow("The console was closed");
      return before;
    })();
    using guest = await vm.openSerial();
    expect(await guest.readLine()).toBe("silk-guest ready");
    expect(await guest.command("nonce")).not.toBe(nonce);
  });

  it("answers nothing, not even the power button, once it hangs", async () => {
    const { kernelPath } = await buildGuest({});
    await using vm = await GuestVmm.start(chPath, () => directBoot(kernelPath));
    using guest = await vm.openPty();
    await guest.readLine();
    expect(await guest.command("hang")).toBe("ok");
    await vm.put("vm.power-button");
    guest.send("hello");
    await expect(guest.readLine({ timeoutMs: 700 })).rejects.toThrow("No line within 700 ms");
    expect((await vm.info()).state).toBe("Running");
  });

  it("takes a non-maskable interrupt and goes on", async () => {
    const { kernelPath } = await buildGuest({});
    await using vm = await GuestVmm.start(chPath, () => directBoot(kernelPath));
    using guest = await vm.openPty();
    await guest.readLine();
    // Cloud Hypervisor tells its vCPUs by a flag that it clears at once: they may miss it, or see it many times.
    await until("the guest has seen one", async () => {
      await vm.put("vm.nmi");
      return !(await guest.command("machine")).endsWith("nmis=0");
    });
    expect(await guest.command("echo still here")).toBe("still here");
  });
});

describe.skipIf(vmm.reason ?? !opensTun())("the test guest and network cards", () => {
  it("lists them by their MAC addresses", async () => {
    const { kernelPath } = await buildGuest({});
    const tap = `silkg${process.pid % 100_000}`;
    await using vm = await GuestVmm.start(chPath, () => [
      ...directBoot(kernelPath),
      "--net",
      `tap=${tap},mac=52:54:00:12:34:56,num_queues=2,queue_size=256`,
    ]);
    using guest = await vm.openPty();
    await guest.readLine();
    expect(await guest.command("nics")).toBe("nics 1 52:54:00:12:34:56");
  });
});

/** Waits for some ticks of the guest: as long as it would take to handle whatever it is told. */
async function countTo(
  ticks: number,
  guest: { command(line: string): Promise<string> },
): Promise<void> {
  const now = async (): Promise<number> =>
    Number((await guest.command("count")).replace("count ", ""));
  const start = await now();
  await until("the guest counts on", async () => (await now()) >= start + ticks);
}

/** Whether this process may make TAP devices. */
function opensTun(): boolean {
  try {
    accessSync("/dev/net/tun", constants.R_OK | constants.W_OK);
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
}

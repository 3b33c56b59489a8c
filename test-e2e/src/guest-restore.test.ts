import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { directBoot, makeDisk, serialBoot } from "./guest-args.ts";
import { GuestVmm, until } from "./guest-vmm.ts";
import { buildGuest } from "./guest.ts";
import { findRealVmm, nestedStateShim } from "./real-vmm.ts";

const vmm = findRealVmm();
const { chPath = "" } = vmm;

const countOf = (answer: string): number => Number(answer.replace("count ", ""));

async function snapshot(vm: GuestVmm): Promise<string> {
  const dir = join(vm.dir, "snapshot");
  await mkdir(dir);
  await vm.put("vm.pause");
  await vm.put("vm.snapshot", { destination_url: `file://${dir}` });
  await vm.put("vm.resume");
  return dir;
}

describe.skipIf(vmm.reason)("the test guest over a snapshot on a real Cloud Hypervisor", () => {
  it.each([1, 2])("goes on where it was, in copies of itself, with %i vCPUs", async (cpus) => {
    const { kernelPath } = await buildGuest({});
    const { libraryPath } = await nestedStateShim({});
    await using vm = await GuestVmm.start(
      chPath,
      async (dir) => [
        ...directBoot(kernelPath, { cpus }),
        "--disk",
        `path=${await makeDisk(dir, "cow")},image_type=raw,serial=cow`,
      ],
      { LD_PRELOAD: libraryPath },
    );
    using source = await vm.openPty();
    await source.readLine();
    expect(await source.command("mark survived")).toBe("ok");
    expect(await source.command("mem 3 8")).toBe("ok");
    expect(await source.command("write cow 5 before")).toBe("ok");
    const nonce = await source.command("nonce");
    const count = await until("it counts", async () => {
      const now = countOf(await source.command("count"));
      return now >= 5 && now;
    });
    const dir = await snapshot(vm);
    expect(await source.command("mark")).toBe("mark survived");
    expect(await source.command("poweroff")).toBe("ok");
    expect(await vm.exited()).toBe(0);

    for (const mode of ["Copy", "OnDemand"]) {
      await using restored = await GuestVmm.start(chPath, () => []);
      await restored.put("vm.restore", { source_url: `file://${dir}`, memory_restore_mode: mode });
      using copy = await restored.openPty();
      await restored.put("vm.resume");
      const later = countOf(await copy.command("count"));
      expect(later).toBeGreaterThanOrEqual(count);
      expect(await copy.command("nonce")).toBe(nonce);
      expect(await copy.command("mark")).toBe("mark survived");
      expect(await copy.command("memcheck 3 8")).toBe("ok");
      expect(await copy.command("read cow 5")).toBe("data before");
      expect(await copy.command("write cow 6 after")).toBe("ok");
      expect(await copy.command("read cow 6")).toBe("data after");
      await until("it counts on", async () => countOf(await copy.command("count")) > later + 2);
      await restored.put("vm.add-disk", {
        path: await makeDisk(restored.dir, "hot"),
        id: "hot",
        image_type: "Raw",
      });
      expect(await copy.command("disks")).toMatch(/^disks 2 cow:8192 /);
      await restored.put("vm.remove-device", { id: "hot" });
      await until("the disk is gone", async () => !(await restored.hasDevice("hot")));
      await restored.put("vm.power-button");
      expect(await restored.exited()).toBe(0);
    }
  });

  it("goes on talking on its serial line", async () => {
    const { kernelPath } = await buildGuest({});
    const { libraryPath } = await nestedStateShim({});
    await using vm = await GuestVmm.start(
      chPath,
      (dir) => serialBoot(dir, ["--firmware", kernelPath]),
      {
        LD_PRELOAD: libraryPath,
      },
    );
    const dir = await (async () => {
      using source = await vm.openSerial();
      await source.readLine();
      expect(await source.command("mark serial")).toBe("ok");
      const made = await snapshot(vm);
      expect(await source.command("poweroff")).toBe("ok");
      return made;
    })();
    expect(await vm.exited()).toBe(0);

    await using restored = await GuestVmm.start(chPath, () => []);
    await restored.put("vm.restore", { source_url: `file://${dir}`, resume: true });
    using copy = await vm.openSerial();
    expect(await copy.command("mark")).toBe("mark serial");
  });
});

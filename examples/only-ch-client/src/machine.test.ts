import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeviceNotFound, type VmConfig } from "@silkvm/ch-client";
import { targets } from "@silkvm/test-e2e/targets";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startMachine } from "./machine.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "silk-ch-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe.each(targets)("on $name", (target) => {
  describe.skipIf(target.missing !== undefined)("a machine", () => {
    const start = async (vm: Partial<VmConfig> = {}): ReturnType<typeof startMachine> =>
      startMachine({
        command: [target.chBinary()],
        directory,
        vm: {
          cpus: { boot_vcpus: 1, max_vcpus: 1 },
          memory: { size: 64 * 1024 ** 2 },
          payload: { kernel: (await target.spec()).boot.kernel, cmdline: "console=hvc0" },
          console: { mode: "Null" },
          ...vm,
        },
        signal: AbortSignal.timeout(20_000),
      });

    it("boots, gets a disk while it runs, and ends with its scope", async () => {
      const path = join(directory, "data.raw");
      await writeFile(path, Buffer.alloc(1024 ** 2));
      {
        await using machine = await start();
        expect((await machine.ch.vm.info()).state).toBe("Running");
        await machine.addDisk("data", path);
        expect((await machine.ch.vm.info()).config.disks?.map(({ id }) => id)).toEqual(["data"]);
      }
      // The VMM removes its socket when it ends, and not before.
      expect(await readdir(directory)).not.toContain("api.sock");
    });

    it("that cannot be made leaves no process", async () => {
      const starting = start({ disks: [{ path: join(directory, "none.raw") }] });
      await expect(starting).rejects.toMatchObject({ code: "CH_API" });
      expect(await readdir(directory)).not.toContain("api.sock");
    });

    it("tells by name what the VMM refuses", async () => {
      await using machine = await start();
      const failure: unknown = await machine
        .removeDisk("none", AbortSignal.timeout(5_000))
        .catch((error: unknown) => error);
      expect(isDeviceNotFound(failure)).toBe(true);
    });
  });
});

// A guest of the real program would have to know PCI hot-unplug; the simulated one does.
it("waits until the guest has let go of a disk", async () => {
  const target = targets.find(({ name }) => name === "ch-sim")!;
  const path = join(directory, "data.raw");
  await writeFile(path, Buffer.alloc(1024 ** 2));
  const { kernel } = (await target.spec()).boot;
  await using machine = await startMachine({
    command: [target.chBinary()],
    directory,
    vm: { payload: { kernel }, memory: { size: 64 * 1024 ** 2 } },
    signal: AbortSignal.timeout(20_000),
  });
  await machine.addDisk("data", path);
  await machine.removeDisk("data", AbortSignal.timeout(10_000));
  expect((await machine.ch.vm.info()).device_tree).not.toHaveProperty("data");
});

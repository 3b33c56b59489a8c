import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { directBoot, makeDisk, memoryBytes, serialBoot } from "./guest-args.ts";
import { GuestVmm, until } from "./guest-vmm.ts";
import { buildGuest } from "./guest.ts";
import { findRealVmm } from "./real-vmm.ts";

const vmm = findRealVmm();
const { chPath = "" } = vmm;

describe("building the test guest", () => {
  it("builds the same program once, and puts a copy where it is asked to", async () => {
    const outDir = await mkdtemp(join(tmpdir(), "silk-guest-"));
    try {
      const first = await buildGuest({});
      const builtAt = (await stat(first.kernelPath)).mtimeMs;
      expect((await stat((await buildGuest({})).kernelPath)).mtimeMs).toBe(builtAt);
      const { kernelPath } = await buildGuest({ outDir });
      expect(kernelPath).toBe(join(outDir, "silk-guest"));
      expect(await readFile(kernelPath)).toEqual(await readFile(first.kernelPath));
    } finally {
      await rm(outDir, { recursive: true });
    }
  });

  it("says what to install when there is no compiler", async () => {
    await expect(buildGuest({ compiler: "no-such-gcc" })).rejects.toThrow(
      'The C compiler "no-such-gcc" was not found. Test programs are built from source: install gcc and binutils.',
    );
  });

  it("shows what the compiler said when it fails", async () => {
    await expect(buildGuest({ compiler: "false" })).rejects.toThrow("The C compiler failed on");
  });

  it("stops when it is told to", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(buildGuest({ signal })).rejects.toThrow("enough");
  });
});

describe.skipIf(vmm.reason)("the test guest on a real Cloud Hypervisor", () => {
  it.each([1, 2])("greets and answers on the PTY of a direct boot with %i vCPUs", async (cpus) => {
    const { kernelPath } = await buildGuest({});
    await using vm = await GuestVmm.start(chPath, () =>
      directBoot(kernelPath, { cpus, cmdline: "console=hvc0 rw" }),
    );
    using guest = await vm.openPty();
    expect(await guest.readLine()).toBe("silk-guest ready");
    expect(await guest.command("echo are you there")).toBe("are you there");
    expect(await guest.command("cmdline")).toBe("cmdline console=hvc0 rw");
    const machine = await guest.command("machine");
    const [, memory] = /^machine cpus=\d+ memory=(\d+) initramfs=0 nmis=0$/.exec(machine) ?? [];
    expect(machine).toContain(`cpus=${cpus} `);
    expect(Number(memory)).toBeGreaterThan(memoryBytes - 1024 ** 2);
    expect(Number(memory)).toBeLessThanOrEqual(memoryBytes);
    expect(await guest.command("frobnicate")).toBe("error no command frobnicate");
    expect(await guest.command(`echo ${"x".repeat(300)}`)).toBe("error line too long");
    expect(await guest.command("echo after that")).toBe("after that");
  });

  it("counts on its own, and keeps its nonce, its mark and its memory", async () => {
    const { kernelPath } = await buildGuest({});
    await using vm = await GuestVmm.start(chPath, () => directBoot(kernelPath));
    using guest = await vm.openPty();
    await guest.readLine();
    const first = Number((await guest.command("count")).replace("count ", ""));
    await until(
      "the count goes up",
      async () => Number((await guest.command("count")).slice(6)) > first + 2,
    );
    const nonce = await guest.command("nonce");
    expect(nonce).toMatch(/^nonce [0-9a-f]{16}$/);
    expect(await guest.command("nonce")).toBe(nonce);
    expect(await guest.command("mark")).toBe("mark");
    expect(await guest.command("mark here")).toBe("ok");
    expect(await guest.command("mark")).toBe("mark here");
    expect(await guest.command("mem 7 4")).toBe("ok");
    expect(await guest.command("memcheck 7 4")).toBe("ok");
    expect(await guest.command("memcheck 8 4")).toMatch(/^bad 0x[0-9a-f]{8}$/);
    expect(await guest.command("mem 7 4096")).toMatch(/^error only \d+ MiB are free$/);
  });

  it("reads and writes disks, by their serials", async () => {
    const { kernelPath } = await buildGuest({});
    await using vm = await GuestVmm.start(chPath, async (dir) => [
      ...directBoot(kernelPath),
      "--disk",
      `path=${await makeDisk(dir, "cow")},image_type=raw,serial=cow`,
      `path=${await makeDisk(dir, "layer")},image_type=raw,serial=layer,readonly=on`,
    ]);
    using guest = await vm.openPty();
    await guest.readLine();
    expect(await guest.command("disks")).toBe("disks 2 cow:8192 layer:8192:ro");
    expect(await guest.command("read cow 3")).toBe("zero");
    expect(await guest.command("write cow 3 pattern")).toBe("ok");
    expect(await guest.command("flush cow")).toBe("ok");
    expect(await guest.command("read cow 3")).toBe("data pattern");
    const disk = await readFile(join(vm.dir, "cow.raw"), "latin1");
    expect(disk.slice(3 * 512, 4 * 512)).toBe("pattern\n".repeat(64));
    expect(disk.slice(4 * 512).replaceAll("\0", "")).toBe("");
    expect(await guest.command("write layer 3 pattern")).toBe("error disk status 1");
    expect(await guest.command("read cow 8192")).toBe("error no sector 8192");
    expect(await guest.command("read other 0")).toBe("error no disk other");
  });

  it.each(["--kernel", "--firmware"])(
    "greets and answers on a serial socket when it is the %s",
    async (payload) => {
      const { kernelPath } = await buildGuest({});
      await using vm = await GuestVmm.start(chPath, (dir) =>
        serialBoot(dir, [payload, kernelPath]),
      );
      using guest = await vm.openSerial();
      expect(await guest.readLine()).toBe("silk-guest ready");
      expect(await guest.command("echo by wire")).toBe("by wire");
      expect(await guest.command("poweroff")).toBe("ok");
      expect(await vm.exited()).toBe(0);
    },
  );

  it("finds its initramfs", async () => {
    const { kernelPath } = await buildGuest({});
    await using vm = await GuestVmm.start(chPath, async (dir) => [
      ...directBoot(kernelPath),
      "--initramfs",
      await makeDisk(dir, "initramfs"),
    ]);
    using guest = await vm.openPty();
    await guest.readLine();
    expect(await guest.command("machine")).toContain("initramfs=4194304");
  });
});

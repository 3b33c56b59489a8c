import { execFile } from "node:child_process";
import {
  chmod,
  link,
  mkdir,
  mkdtemp,
  rename,
  rm,
  symlink,
  unlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  type BackendContext,
  type Disk,
  type DiskSpec,
  type OperationContext,
  type ResolvedVmSpec,
  silentLogger,
} from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pathsIn, vmSpec } from "../test/records.ts";
import { cloudHypervisor } from "./backend.ts";

const run = promisify(execFile);
const host = linuxHost();
const hasQemuImg = (await host.processes.which("qemu-img")) !== undefined;
const mib = 1024 * 1024;
let dir: string;
let kernel: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "silk-plan-"));
  kernel = await file("vmlinux");
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

async function file(name: string, content = "content".padEnd(512)): Promise<string> {
  const path = join(dir, name);
  await writeFile(path, content);
  return path;
}

const warnings: string[] = [];
const context: OperationContext = {
  progress: () => {},
  warn: (message) => warnings.push(message),
};

/** Plans a VM that boots the kernel, changed; on a host that has a VMM (any program will do here). */
async function plan(
  spec: Parameters<typeof vmSpec>[0] = {},
  given: Partial<BackendContext> = {},
): Promise<readonly Disk[]> {
  const backend = await cloudHypervisor.open({
    host,
    logger: silentLogger,
    settings: { chBinary: "/bin/true" },
    paths: pathsIn(dir),
    ...given,
  });
  const boot: ResolvedVmSpec["boot"] = { kind: "direct", kernelPath: kernel, cmdline: "" };
  return (await backend.plan(vmSpec({ boot, ...spec }), context)).disks;
}

const planDisks = (...disks: DiskSpec[]): Promise<readonly Disk[]> => plan({ disks });

describe("the disks of a VM", () => {
  it("are the given ones, the COW disk and the data disks, in this order", async () => {
    const base = await file("base.img");
    const own = await file("own.img");
    const vmDir = join(dir, "vms/vm1");
    const disks = await plan({
      config: { storageBytes: 64 * mib },
      disks: [
        { path: own, directIo: false },
        { path: base, readonly: true, serial: "base" },
      ],
      dataDisks: [
        { name: "db", sizeBytes: 32 * mib, fstype: "ext4", mountPoint: "/db", directIo: true },
        { name: "raw", sizeBytes: 16 * mib, fstype: "none" },
      ],
    });
    expect(disks).toEqual([
      { path: own, role: "data", readonly: false, directIo: false },
      { path: base, role: "layer", readonly: true, serial: "base" },
      { path: join(vmDir, "cow.raw"), role: "cow", readonly: false, serial: "cocoon-cow" },
      {
        path: join(vmDir, "data-db.raw"),
        role: "data",
        readonly: false,
        serial: "db",
        fstype: "ext4",
        sizeBytes: 32 * mib,
        mountPoint: "/db",
        directIo: true,
      },
      {
        path: join(vmDir, "data-raw.raw"),
        role: "data",
        readonly: false,
        serial: "raw",
        fstype: "none",
        sizeBytes: 16 * mib,
      },
    ]);
  });

  it("may be none", async () => {
    expect(await plan()).toEqual([]);
  });

  it("make nothing", async () => {
    await plan({ config: { storageBytes: 64 * mib } });
    expect(await host.files.list(dir)).toEqual(["vmlinux"]);
  });
});

describe("a kernel's command line", () => {
  it.each(["ü", "a\tb", "\u{1f600}"])(
    "cannot hold what the VMM does not pass on: %j",
    async (cmdline) => {
      await expect(
        plan({ boot: { kind: "direct", kernelPath: kernel, cmdline } }),
      ).rejects.toMatchObject({ code: "INVALID_CMDLINE", kind: "invalid" });
    },
  );

  it("may hold quotes, commas and backslashes", async () => {
    const cmdline = `a="b c" d='e' f,g $HOME \\ ~`;
    expect(await plan({ boot: { kind: "direct", kernelPath: kernel, cmdline } })).toEqual([]);
  });
});

describe("a raw disk", () => {
  it.each(["", "hello"])("has at least one sector: %j", async (content) => {
    await expect(planDisks({ path: await file("small.raw", content) })).rejects.toMatchObject({
      code: "INVALID_IMAGE",
      kind: "invalid",
    });
  });

  it("is no VHD, which the VMM tells from its footer", async () => {
    const path = await file("disk.raw", " ".repeat(4096) + "conectix".padEnd(512, "\0"));
    await expect(planDisks({ path })).rejects.toMatchObject({
      code: "IMAGE_UNSUPPORTED",
      message: expect.stringContaining("a vhd image"),
    });
  });
});

describe("a file that the VM needs", () => {
  it("refuses the OVMF of QEMU as a firmware, which the VMM cannot boot", async () => {
    const firmwarePath = await file("OVMF.fd", `${"\0".repeat(40)}_FVH${"\0".repeat(512)}`);
    const boot = { kind: "firmware", firmwarePath } as const;
    const x64 = { host: { ...host, facts: { ...host.facts, arch: "x64" } } };
    await expect(plan({ boot }, x64)).rejects.toMatchObject({
      code: "INVALID_FIRMWARE",
      message: `--firmware: ${firmwarePath} is an OVMF for QEMU, which Cloud Hypervisor cannot boot`,
    });
    const arm64 = { host: { ...host, facts: { ...host.facts, arch: "arm64" } } };
    await expect(plan({ boot }, arm64)).resolves.toEqual([]);
  });

  it.each(["kernel", "initrd", "firmware", "disk"])(
    "that is missing is named with its flag: %s",
    async (flag) => {
      const path = join(dir, "missing");
      const specs: Record<string, Parameters<typeof vmSpec>[0]> = {
        kernel: { boot: { kind: "direct", kernelPath: path, cmdline: "" } },
        initrd: {
          boot: { kind: "direct", kernelPath: kernel, initrdPath: path, cmdline: "" },
        },
        firmware: { boot: { kind: "firmware", firmwarePath: path } },
        disk: { disks: [{ path }] },
      };
      await expect(plan(specs[flag])).rejects.toMatchObject({
        code: "FILE_NOT_FOUND",
        kind: "not-found",
        message: `--${flag}: there is no file ${path}`,
        details: { flag: `--${flag}`, path },
      });
    },
  );

  it("that is a directory, or lies below a file, is refused", async () => {
    await expect(planDisks({ path: dir })).rejects.toMatchObject({
      code: "INVALID_FILE",
      kind: "invalid",
    });
    await expect(planDisks({ path: join(kernel, "disk") })).rejects.toMatchObject({
      code: "FILE_NOT_FOUND",
    });
  });

  it.skipIf(process.getuid?.() === 0)("that may not be read is refused", async () => {
    const path = await file("secret.img");
    await chmod(path, 0);
    await expect(planDisks({ path, readonly: true })).rejects.toMatchObject({
      code: "PERMISSION_DENIED",
      kind: "denied",
    });
  });

  it.skipIf(process.getuid?.() !== 0)(
    "that may be read and not written is refused as a writable disk",
    async () => {
      const path = await file("fixed.img");
      // A read-only file is no obstacle to root; a read-only mount is.
      await run("mount", ["--bind", path, path]);
      try {
        await run("mount", ["-o", "remount,bind,ro", path]);
        await expect(planDisks({ path })).rejects.toMatchObject({
          code: "PERMISSION_DENIED",
          hint: expect.stringContaining("read-only"),
        });
        await expect(planDisks({ path, readonly: true })).resolves.toHaveLength(1);
      } finally {
        await run("umount", [path]);
      }
    },
  );
});

describe("the same image twice", () => {
  it("is refused, by whatever names it is given", async () => {
    const path = await file("disk.img");
    await symlink(path, join(dir, "symlink.img"));
    await link(path, join(dir, "hardlink.img"));
    for (const other of [path, join(dir, "symlink.img"), join(dir, "hardlink.img")])
      await expect(planDisks({ path }, { path: other })).rejects.toMatchObject({
        code: "INVALID_DISK",
        kind: "invalid",
      });
  });
});

describe("a disk that cannot be what it is said to be", () => {
  it("is refused: a serial that the COW disk has", async () => {
    const path = await file("disk.img");
    const planned = plan({
      config: { storageBytes: 16 * mib },
      disks: [{ path, serial: "cocoon-cow" }],
    });
    await expect(planned).rejects.toMatchObject({ code: "INVALID_DISK" });
  });

  it("is refused: direct I/O on a read-only one", async () => {
    const path = await file("disk.img");
    await expect(planDisks({ path, readonly: true, directIo: true })).rejects.toMatchObject({
      code: "INVALID_DISK",
    });
  });

  it("is refused: a raw one that is named as a qcow2", async () => {
    const path = await file("disk.qcow2");
    await expect(planDisks({ path })).rejects.toMatchObject({
      code: "INVALID_IMAGE",
      kind: "invalid",
    });
  });

  describe.skipIf(!hasQemuImg)("with qemu-img", () => {
    const qemuImg = async (...args: string[]): Promise<void> =>
      void (await run("qemu-img", ["create", "-q", ...args], { cwd: dir }));

    it("is refused: a qcow2 that is not named as one", async () => {
      await qemuImg("-f", "qcow2", "disk.img", "1M");
      await expect(planDisks({ path: join(dir, "disk.img") })).rejects.toMatchObject({
        code: "INVALID_IMAGE",
        hint: expect.stringContaining(".qcow2"),
      });
    });

    it("is refused: an image of another program", async () => {
      await qemuImg("-f", "vmdk", "disk.vmdk", "1M");
      await expect(planDisks({ path: join(dir, "disk.vmdk") })).rejects.toMatchObject({
        code: "IMAGE_UNSUPPORTED",
        kind: "unsupported",
        hint: expect.stringContaining("qemu-img convert"),
      });
    });

    it("is refused: an overlay whose base is missing, and the base is named", async () => {
      const base = join(dir, "base.qcow2");
      await qemuImg("-f", "qcow2", "base.qcow2", "1M");
      await qemuImg("-f", "qcow2", "-F", "qcow2", "-b", "base.qcow2", "mid.qcow2");
      await qemuImg("-f", "qcow2", "-F", "qcow2", "-b", join(dir, "mid.qcow2"), "top.qcow2");
      const disk = { path: join(dir, "top.qcow2") };
      expect(await planDisks(disk)).toMatchObject([{ role: "data", readonly: false }]);
      await rename(base, `${base}.away`);
      await expect(planDisks(disk)).rejects.toMatchObject({
        code: "FILE_NOT_FOUND",
        kind: "not-found",
        message: `${join(dir, "mid.qcow2")} is an overlay on ${base}, which is not there`,
      });
    });

    it("is refused: an overlay that is its own base", async () => {
      await qemuImg("-f", "qcow2", "a.qcow2", "1M");
      await qemuImg("-f", "qcow2", "-F", "qcow2", "-b", "a.qcow2", "b.qcow2");
      await unlink(join(dir, "a.qcow2"));
      await symlink("b.qcow2", join(dir, "a.qcow2"));
      await expect(planDisks({ path: join(dir, "b.qcow2") })).rejects.toMatchObject({
        code: "IMAGE_UNSUPPORTED",
      });
    });

    it("is refused: a read-only overlay", async () => {
      await qemuImg("-f", "qcow2", "base.qcow2", "1M");
      await qemuImg("-f", "qcow2", "-F", "qcow2", "-b", "base.qcow2", "top.qcow2");
      const planned = planDisks({ path: join(dir, "top.qcow2"), readonly: true });
      await expect(planned).rejects.toMatchObject({ code: "IMAGE_UNSUPPORTED" });
    });
  });
});

describe("what the host lacks", () => {
  it("is found out before anything is made: room in a socket's path", async () => {
    const paths = pathsIn(join(dir, "r".repeat(107 - `${dir}//run/vm1/console.sock`.length)));
    await expect(plan({}, { paths })).resolves.toEqual([]);
    const longer = pathsIn(join(dir, "r".repeat(108 - `${dir}//run/vm1/console.sock`.length)));
    await expect(plan({}, { paths: longer })).rejects.toMatchObject({
      code: "SOCKET_PATH_TOO_LONG",
      kind: "invalid",
      hint: expect.stringContaining("--run-dir"),
      details: { lengthBytes: 108 },
    });
  });

  it("is measured in bytes: a path in another script", async () => {
    const paths = pathsIn(join(dir, "ж".repeat(40)));
    await expect(plan({}, { paths })).rejects.toMatchObject({ code: "SOCKET_PATH_TOO_LONG" });
  });

  it("is found out before anything is made: mkfs.ext4, where a disk needs it", async () => {
    const processes = { ...host.processes, which: async () => undefined };
    const without = { host: { ...host, processes } };
    await expect(plan({ config: { storageBytes: 16 * mib } }, without)).rejects.toMatchObject({
      code: "MKFS_NOT_FOUND",
      kind: "unavailable",
    });
    await mkdir(join(dir, "vms"));
    const dataDisks = [{ name: "d", sizeBytes: 16 * mib, fstype: "none" }] as const;
    await expect(plan({ dataDisks }, without)).resolves.toHaveLength(1);
  });

  it("is only a warning where it is the VMM: it may come before the VM is started", async () => {
    warnings.length = 0;
    await plan({}, { settings: { chBinary: "/nonexistent/cloud-hypervisor" } });
    expect(warnings).toEqual([
      "the VM can be made, but not started: there is no program /nonexistent/cloud-hypervisor",
    ]);
  });
});

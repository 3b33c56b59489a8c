import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { BlobReference } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, test } from "vitest";
import { Bed, has } from "./bed.ts";
import {
  bzImage,
  kernelConfig,
  layOutKernel,
  makeDeb,
  realVersion,
  vmlinux,
} from "./kit-kernel-files.ts";

const hasBusybox = has("busybox");
if (!hasBusybox) console.warn("skipped: busybox is not there");
const x86 = 62;
const arm = 183;

/** A machine of its own, with kernels. */
function bedWith(
  kernels: Readonly<Record<string, string>>,
  options: { readonly references?: () => Promise<readonly BlobReference[]> } = {},
): Bed {
  const bed = new Bed((directory) => ({
    ...options,
    kernels: { bootDir: join(directory, "boot"), modulesDir: join(directory, "modules") },
  }));
  mkdirSync(bed.path("boot"));
  for (const [version, config] of Object.entries(kernels)) {
    writeFileSync(bed.path(`boot/vmlinuz-${version}`), bzImage(version));
    writeFileSync(bed.path(`boot/config-${version}`), config);
  }
  return bed;
}
const error = (code: string, text = ""): unknown =>
  expect.objectContaining({ code, message: expect.stringContaining(text) as string });

describe.skipIf(!hasBusybox || process.arch !== "x64")("of the kernels of a machine", () => {
  test("the newest is taken that has what it takes, and it is said what the others lack", async () => {
    await using bed = bedWith({
      "6.9.3-cloud": kernelConfig(),
      "6.10.1-cloud": kernelConfig(),
      "6.12.0-odd": kernelConfig(["EROFS_FS", "OVERLAY_FS"]),
      "6.12.1-plain": kernelConfig(["EROFS_FS_ZIP"]),
    });
    writeFileSync(bed.path("boot/vmlinuz-6.13.0.old"), "of an upgrade");
    const kit = await bed.images.kit();
    expect(kit).toMatchObject({ kernelName: "6.10.1-cloud", kernelVersion: "6.10.1-cloud" });
    expect(readFileSync(kit.kernelPath).equals(bzImage("6.10.1-cloud"))).toBe(true);
    expect(kit.blobIds.map((id) => bed.blob(id))).toEqual([kit.kernelPath, kit.initrdPath]);
    expect((await bed.images.kit({ kernel: "6.9.3-cloud" })).kernelName).toBe("6.9.3-cloud");
    expect(await bed.images.listKernels()).toMatchObject([
      { name: "6.12.1-plain", isDefault: false, problem: { code: "KERNEL_LACKS" } },
      {
        name: "6.12.0-odd",
        isDefault: false,
        problem: {
          code: "KERNEL_LACKS",
          message: expect.stringContaining("lacks erofs, overlay") as string,
        },
      },
      { name: "6.10.1-cloud", isDefault: true, origin: "host" },
      { name: "6.9.3-cloud", isDefault: false },
    ]);
    await expect(bed.images.kit({ kernel: "6.12.0-odd" })).rejects.toThrow(
      error("KERNEL_LACKS", "erofs, overlay"),
    );
    await expect(bed.images.kit({ kernel: "5.0" })).rejects.toThrow(error("KERNEL_NOT_FOUND"));
  });

  test("none is none, and says what to do", async () => {
    await using bed = bedWith({});
    await expect(bed.images.kit()).rejects.toMatchObject({
      code: "KERNEL_MISSING",
      hint: expect.stringContaining("silk image import-kernel") as string,
    });
    expect(await bed.images.listKernels()).toEqual([]);
  });

  test("one that this user may not read is told, not passed over", async () => {
    await using bed = bedWith({ "6.1.0": kernelConfig() });
    const host = linuxHost();
    const blind = {
      ...host,
      files: Object.assign(Object.create(host.files) as typeof host.files, {
        canAccess: async (path: string, how: "read" | "write" | "execute") =>
          !path.includes("vmlinuz") && (await host.files.canAccess(path, how)),
      }),
    };
    const kernels = { bootDir: bed.path("boot"), modulesDir: bed.path("modules") };
    await using images = bed.open({ host: blind, kernels });
    await expect(images.kit()).rejects.toThrow(error("KERNEL_UNREADABLE", "vmlinuz-6.1.0"));
  });

  test("a kit is made once, and stays for whom it is needed by", async () => {
    const needs: BlobReference[] = [];
    await using bed = bedWith({ "6.1.0": kernelConfig() }, { references: async () => needs });
    const kit = await bed.images.kit();
    expect((await bed.images.kit()).blobIds).toEqual(kit.blobIds);
    needs.push(...kit.blobIds.map((blobId) => ({ blobId, by: "the VM web" })));
    expect(await bed.images.collectGarbage()).toEqual([]);
    // An upgrade of the machine takes its kernel away.
    writeFileSync(bed.path("boot/vmlinuz-6.1.0"), bzImage("6.1.0-2"));
    expect(readFileSync(kit.kernelPath).equals(bzImage("6.1.0"))).toBe(true);
    needs.length = 0;
    expect((await bed.images.collectGarbage()).map(({ name }) => name).sort()).toEqual(
      [kit.kernelPath, kit.initrdPath].sort(),
    );
  });
});

describe.skipIf(!hasBusybox || process.arch !== "x64")("a kernel that is imported", () => {
  test("is the default, until it is removed; what a VM needs of it stays", async () => {
    const needs: BlobReference[] = [];
    await using bed = bedWith({ "6.1.0": kernelConfig() }, { references: async () => needs });
    writeFileSync(bed.path("vmlinux"), vmlinux("6.6.0-own", x86, kernelConfig()));
    const record = await bed.images.importKernel(bed.path("vmlinux"), { name: "own" });
    expect(record).toMatchObject({
      name: "own",
      version: "6.6.0-own",
      modules: [],
      architecture: "amd64",
    });
    const kit = await bed.images.kit();
    expect(kit).toMatchObject({ kernelName: "own", kernelVersion: "6.6.0-own" });
    expect(
      (await bed.images.listKernels()).map(({ name, isDefault }) => [name, isDefault]),
    ).toEqual([
      ["own", true],
      ["6.1.0", false],
    ]);
    expect((await bed.images.collectGarbage()).map(({ name }) => name)).toEqual([kit.initrdPath]);
    needs.push({ blobId: record.kernelBlobId, by: "the VM web" });
    const removed = await bed.images.removeKernel("own");
    expect(removed.freed).toEqual([]);
    expect(removed.kept).toMatchObject([{ blobId: record.kernelBlobId, by: ["the VM web"] }]);
    expect((await bed.images.kit()).kernelName).toBe("6.1.0");
    await expect(bed.images.removeKernel("own")).rejects.toThrow(error("KERNEL_NOT_FOUND"));
  });

  test.for([
    { what: "a text", bytes: Buffer.from("a text"), code: "KERNEL_INVALID" },
    { what: "nothing", bytes: Buffer.alloc(0), code: "KERNEL_INVALID" },
    { what: "what is packed by gzip", bytes: gzipSync(vmlinux("1", x86)), code: "KERNEL_INVALID" },
    { what: "one for ARM", bytes: vmlinux("6.6.0", arm), code: "ARCHITECTURE_MISSING" },
    {
      what: "one of 32 bits",
      bytes: bzImage("6.6.0", { has64: false }),
      code: "ARCHITECTURE_MISSING",
    },
    {
      what: "one that says that it lacks EROFS",
      bytes: vmlinux("6.6.0", x86, kernelConfig(["EROFS_FS"])),
      code: "KERNEL_LACKS",
    },
    {
      what: "a package without a kernel",
      bytes: Buffer.from("!<arch>\n"),
      code: "MODULES_INVALID",
    },
    {
      what: "half a package",
      bytes: Buffer.from(`!<arch>\n${"data.tar.gz".padEnd(48)}99999     \`\n`),
      code: "MODULES_INVALID",
    },
  ])("is not $what", async ({ bytes, code }) => {
    await using bed = bedWith({});
    writeFileSync(bed.path("kernel"), bytes);
    await expect(bed.images.importKernel(bed.path("kernel"))).rejects.toThrow(error(code));
    expect(await bed.images.listKernels()).toEqual([]);
    expect(readdirSync(bed.path("root/images/blobs"))).toEqual([]);
    expect(readdirSync(bed.path("root/images/work"))).toEqual([]);
  });

  test("is not what is not there, nor has a name that is none", async () => {
    await using bed = bedWith({});
    await expect(bed.images.importKernel(bed.path("nothing"))).rejects.toThrow(
      error("FILE_NOT_FOUND"),
    );
    await expect(bed.images.importKernel(bed.directory)).rejects.toThrow(error("NOT_A_FILE"));
    await expect(bed.images.importKernel(bed.path("nothing"), { name: "../x" })).rejects.toThrow(
      error("INVALID_KERNEL_NAME"),
    );
  });

  test("may bring a busybox, which must be static, and know all that is needed", async () => {
    await using bed = bedWith({});
    writeFileSync(bed.path("vmlinux"), vmlinux("6.6.0", x86, kernelConfig()));
    const bring = (busybox: string) => bed.images.importKernel(bed.path("vmlinux"), { busybox });
    await expect(bring("/bin/ls")).rejects.toThrow(error("BUSYBOX_MISSING", "must be static"));
    await expect(bring(bed.path("vmlinux"))).rejects.toThrow(
      error("BUSYBOX_MISSING", "is no busybox"),
    );
    copyFileSync("/bin/busybox", bed.path("own-busybox"));
    const less = Buffer.from(
      readFileSync("/bin/busybox").toString("latin1").replaceAll("\0udhcpc\0", "\0udhcpx\0"),
      "latin1",
    );
    writeFileSync(bed.path("less-busybox"), less);
    await expect(bring(bed.path("less-busybox"))).rejects.toThrow(
      error("BUSYBOX_MISSING", "built without udhcpc"),
    );
    const record = await bring(bed.path("own-busybox"));
    expect(
      readFileSync(bed.blob(record.busyboxBlobId ?? "")).equals(readFileSync("/bin/busybox")),
    ).toBe(true);
    expect((await bed.images.kit()).kernelName).toBe("6.6.0");
  });
});

describe.skipIf(realVersion === undefined || !hasBusybox || !has("dpkg-deb"))(
  "this machine's kernel",
  { timeout: 120_000 },
  () => {
    test("makes the same kit whichever way it comes: packages, archives, directories, compressed or not", async () => {
      await using bed = new Bed();
      const plain = bed.path("plain");
      const modules = layOutKernel(plain);
      const expected = (await bed.images.kit({ kernel: realVersion })).blobIds;
      const kernel = join(plain, "boot", `vmlinuz-${realVersion}`);
      const tar = bed.path("modules.tar.gz");
      execFileSync("tar", ["-C", plain, "-czf", tar, "lib"]);
      const ways: readonly (readonly [string, string, string?])[] = [
        ...["xz", "zstd", "gzip", "none"].map((by) => [by, makeDeb(bed, plain, by)] as const),
        ["directory", kernel, modules],
        ["root", kernel, plain],
        ["tar", kernel, tar],
        ...([".xz", ".zst", ".gz"] as const).map((by) => {
          const root = bed.path(`packed${by}`);
          return [by, kernel, layOutKernel(root, by)] as const;
        }),
      ];
      for (const [way, source, given] of ways) {
        const record = await bed.images.importKernel(source, { name: "way", modules: given });
        expect(record.modules, way).toContain("erofs");
        expect(record.version, way).toBe(realVersion);
        expect((await bed.images.kit({ kernel: "way" })).blobIds, way).toEqual(expected);
      }
    });

    test("is not one with the modules of another, nor without any", async () => {
      await using bed = new Bed();
      const modules = layOutKernel(bed.path("plain"));
      writeFileSync(bed.path("other"), bzImage("6.6.0"));
      await expect(bed.images.importKernel(bed.path("other"), { modules })).rejects.toThrow(
        error("MODULES_INVALID", `the modules are for ${realVersion}, and the kernel is 6.6.0`),
      );
      mkdirSync(bed.path("empty"));
      await expect(
        bed.images.importKernel(`/boot/vmlinuz-${realVersion}`, { modules: bed.path("empty") }),
      ).rejects.toThrow(error("MODULES_INVALID", "no modules"));
    });

    test("becomes an initramfs that cpio reads", async () => {
      await using bed = new Bed();
      const { initrdPath } = await bed.images.kit({ kernel: realVersion });
      mkdirSync(bed.path("root-of-it"));
      execFileSync("busybox", ["cpio", "-idm"], {
        cwd: bed.path("root-of-it"),
        input: readFileSync(initrdPath),
        stdio: ["pipe", "ignore", "ignore"],
      });
      expect(existsSync(bed.path("root-of-it/init"))).toBe(true);
      const order = readFileSync(bed.path("root-of-it/modules.order"), "utf8")
        .trimEnd()
        .split("\n");
      expect(order.indexOf("libcrc32c.ko")).toBeLessThan(order.indexOf("erofs.ko"));
      expect(readdirSync(bed.path("root-of-it/modules")).sort()).toEqual(order.toSorted());
    });
  },
);

import { execFileSync } from "node:child_process";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createChClient } from "@silkvm/ch-client";
import type { LoadResult, Engine, RestoreMode, SnapshotView } from "@silkvm/core";
import { importSnapshot, type ImportOptions } from "@silkvm/storage";
import { linuxHost } from "@silkvm/sys";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCounterpart } from "./counterpart-cli.ts";
import { GuestConsole } from "./guest-console.ts";
import { GuestVmm } from "./guest-vmm.ts";
import { buildGuest, nestedStateShim } from "./guest.ts";
import { makeSandbox, type Sandbox } from "./sandbox.ts";
import { silkIn } from "./silk.ts";
import { ask } from "./snapshot-console.ts";
import { type SnapshotTarget, snapshotTargets } from "./snapshot-targets.ts";

const archive = fileURLToPath(new URL("../fixtures/counterpart-snapshot.tar.gz", import.meta.url));

/** What the snapshot in the archive needs of its host: in a directory that was chosen for this. */
const hostDir = "/tmp/silk-counterpart";
const layerDigest = "62e91e2148d6a59f471361571fa4397b45517726e7f6deece7cce1533a489232";
const needed = {
  layer: `${hostDir}/root/oci/blobs/${layerDigest}.erofs`,
  kernel: `${hostDir}/root/oci/boot/${layerDigest}/vmlinuz`,
  initrd: `${hostDir}/root/oci/boot/${layerDigest}/initrd.img`,
};
const layerBytes = 64 * 1024;

let hostFiles: readonly string[] = [];

/** The files that the counterpart had made from an image, as far as the guest sees them: it looks into none. */
async function provide(): Promise<void> {
  const { kernelPath } = await buildGuest({});
  const contents = {
    [needed.layer]: Buffer.alloc(layerBytes),
    [needed.kernel]: await readFile(kernelPath),
    [needed.initrd]: Buffer.alloc(512),
  };
  for (const [path, content] of Object.entries(contents)) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
  hostFiles = Object.keys(contents);
}

async function withdraw(): Promise<void> {
  if (hostFiles.length > 0) await rm(hostDir, { recursive: true });
  hostFiles = [];
}

async function take(engine: Engine, options: ImportOptions = {}): Promise<SnapshotView> {
  return await importSnapshot(engine, createReadStream(archive), options);
}

/** What the guest was told on its console before it was saved. */
const told = [
  "mark from-the-counterpart",
  "write cocoon-cow 4096000 written-under-the-counterpart",
  "mem 7 1",
];

/** The clone is the guest that was saved, and from then on a VM like any other: it can be saved, and stopped and booted. */
async function expectItGoesOn(
  engine: Engine,
  { vm, memory }: LoadResult,
  mode: RestoreMode,
): Promise<void> {
  expect(memory).toMatchObject({ requested: mode, used: mode });
  expect(await ask(vm, "mark")).toBe("mark from-the-counterpart");
  expect(await ask(vm, "memcheck 7 1")).toBe("ok");
  expect(await ask(vm, "read cocoon-cow 4096000")).toBe("data written-under-the-counterpart");
  expect(await ask(vm, "disks")).toBe("disks 2 cocoon-layer0:128:ro cocoon-cow:20971520");

  expect(await ask(vm, "write cocoon-cow 4096001 under-silk")).toBe("ok");
  const saved = await vm.save({ name: "again" });
  const again = await engine.clone({ snapshot: saved.id }, { name: "clone-of-clone" });
  expect(await ask(again.vm, "mark")).toBe("mark from-the-counterpart");
  expect(await ask(again.vm, "read cocoon-cow 4096001")).toBe("data under-silk");
  await vm.stop();
  await vm.start();
  expect(await ask(vm, "mark")).not.toContain("from-the-counterpart");
  expect(await ask(vm, "read cocoon-cow 4096000")).toBe("data written-under-the-counterpart");
}

async function on(
  target: SnapshotTarget,
  test: (engine: Engine, sandbox: Sandbox) => Promise<void>,
): Promise<void> {
  await using sandbox = await makeSandbox(await target.vmm());
  await using engine = await sandbox.engine();
  await test(engine, sandbox);
  const ids = (await engine.list({ all: true })).map(({ id }) => id);
  expect((await engine.delete(ids, { force: true })).failed).toEqual([]);
}

afterAll(withdraw);

describe.each(snapshotTargets)("an archive of the counterpart's, on $name", (target) => {
  describe.skipIf(target.missing)("", () => {
    beforeAll(withdraw);

    it("is taken in with all that it tells", async () => {
      await on(target, async (engine) => {
        const { id, ...view } = await take(engine);
        expect(id).not.toBe("");
        expect(view).toMatchObject({
          name: "counterpart-snapshot",
          description: "made by the counterpart",
          backend: "cloud-hypervisor",
          cpus: 1,
          memoryBytes: 512 * 1024 ** 2,
          nics: 0,
          parentId: null,
          imported: true,
        });
        const { manifest, allocatedBytes } = await engine.snapshots.inspect(id);
        expect(manifest.vm.disks).toMatchObject([
          { role: "layer", readonly: true, serial: "cocoon-layer0", path: needed.layer },
          { role: "cow", readonly: false, serial: "cocoon-cow", file: "cow.raw" },
        ]);
        expect(manifest.vm.boot).toEqual({
          kind: "direct",
          kernelPath: needed.kernel,
          initrdPath: needed.initrd,
          cmdline: expect.stringContaining("cocoon.cow=cocoon-cow"),
        });
        expect(manifest.vm.config).toMatchObject({
          image: "localhost:5000/silk-guest:1",
          imageType: "oci-vm",
          storageBytes: 10 * 1024 ** 3,
        });
        const sizes = manifest.files.map(({ name, sizeBytes }) => [name, sizeBytes]);
        expect(Object.fromEntries(sizes)).toMatchObject({
          "cow.raw": 10 * 1024 ** 3,
          "memory-ranges": 512 * 1024 ** 2,
        });
        // Holes are holes: ten GiB of disk and half a GiB of memory are next to nothing.
        expect(allocatedBytes).toBeLessThan(16 * 1024 ** 2);
      });
    });

    it("cannot be cloned where the files that it needs are not allowed, and they are named", async () => {
      await on(target, async (engine) => {
        const { id } = await take(engine);
        const refused = await engine.clone({ snapshot: id }).catch((error: Error) => error);
        expect(refused).toMatchObject({ message: expect.stringContaining(hostDir) });
        expect((refused as Error).message).not.toContain("\n");
        expect(await engine.list({ all: true })).toEqual([]);
      });
    });

    it("cannot be cloned where a file that it needs is missing, and that is named", async () => {
      await on(target, async (engine) => {
        const { id } = await take(engine);
        await expect(
          engine.clone({ snapshot: id }, { allowPaths: [hostDir] }),
        ).rejects.toMatchObject({
          code: "FILE_NOT_FOUND",
          message: expect.stringContaining(hostDir),
        });
        expect(await engine.list({ all: true })).toEqual([]);
      });
    });

    it("may name its files when it is taken in, but not where they are missing", async () => {
      await on(target, async (engine) => {
        await expect(take(engine, { allowPaths: [hostDir] })).rejects.toMatchObject({
          code: "FILE_NOT_FOUND",
        });
        expect(await engine.snapshots.list()).toEqual([]);
      });
    });
  });
});

const real = snapshotTargets.find(({ name }) => name === "cloud-hypervisor") as SnapshotTarget;

/** Whether the VMM, asked without silk, has nothing against giving the guest in the archive this host's CPU. */
async function fitsThisCpu(): Promise<boolean> {
  await using vmm = await GuestVmm.start(real.chBinary(), () => []);
  execFileSync("tar", [
    "--warning=no-unknown-keyword",
    "-xzf",
    archive,
    "-C",
    vmm.dir,
    "config.json",
    "state.json",
  ]);
  const { body } = await vmm.call("PUT", "vm.restore", { source_url: `file://${vmm.dir}` });
  return !JSON.stringify(body).includes("CPUID compatibility");
}

const mismatch = { code: "SNAPSHOT_CPU_MISMATCH", kind: "unsupported" };

describe.skipIf(real.missing)("a VM of the counterpart's on a real Cloud Hypervisor", () => {
  beforeAll(provide);

  it.each(["cow", "copy"] as const)(
    "goes on where it was, its memory by %s, or is refused where the CPU is another",
    async (mode) => {
      const fits = await fitsThisCpu();
      await on(real, async (engine) => {
        const { id } = await take(engine);
        const options = { name: "clone", restoreMode: mode, strict: true, allowPaths: [hostDir] };
        if (fits) {
          const cloned = await engine.clone({ snapshot: id }, options);
          await expectItGoesOn(engine, cloned, mode);
          return;
        }
        await expect(engine.clone({ snapshot: id }, options)).rejects.toMatchObject(mismatch);
        expect(await engine.list({ all: true })).toEqual([]);
      });
    },
  );

  it("comes by the command line, too", async () => {
    const fits = await fitsThisCpu();
    await on(real, async (_engine, sandbox) => {
      const silk = silkIn(sandbox);
      await silk.ok("snapshot", "import", archive, "--name", "theirs");
      const refused = await silk.error(["vm", "clone", "theirs"]);
      expect(refused).toMatchObject({ hint: expect.stringContaining("--allow-path") });
      const clone = ["vm", "clone", "theirs", "--name", "web", "--allow-path", hostDir];
      if (fits) await silk.ok(...clone);
      else expect(await silk.error(clone)).toMatchObject({ ...mismatch, exitCode: 5 });
      expect(await silk.json<{ name: string; state: string }[]>("vm", "list")).toMatchObject(
        fits ? [{ name: "web", state: "running" }] : [],
      );
    });
  });
});

const program = await linuxHost().processes.which("cocoon");

describe.skipIf(real.missing ?? (program === undefined && "there is no `cocoon` on PATH"))(
  "a VM that the counterpart saves here and now",
  () => {
    it.each(["cow", "copy"] as const)("goes on where it was, its memory by %s", async (mode) => {
      const directory = await mkdtemp("/tmp/silk-theirs-");
      try {
        const saved = await saveByCounterpart(directory);
        await on(real, async (engine) => {
          const { id } = await importSnapshot(engine, createReadStream(saved));
          const cloned = await engine.clone(
            { snapshot: id },
            { name: "clone", restoreMode: mode, strict: true, allowPaths: [directory] },
          );
          await expectItGoesOn(engine, cloned, mode);
        });
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    });
  },
);

/** Has the counterpart boot a VM, and save and export it as it did for the archive. @returns the archive's path */
async function saveByCounterpart(dir: string): Promise<string> {
  const { kernelPath } = await buildGuest({});
  const { libraryPath } = await nestedStateShim({});
  const cocoon = await openCounterpart({ dir, kernelPath, env: { LD_PRELOAD: libraryPath } });
  if (cocoon === undefined) throw new Error("the counterpart's program is gone");
  const size = ["--cpu", "1", "--memory", "512M", "--storage", "10G", "--nics", "0"];
  await cocoon.run("vm", "create", "--name", "theirs", ...size, cocoon.image);
  try {
    await cocoon.run("vm", "start", "theirs");
    await using client = createChClient({ socketPath: await cocoon.socketOf("theirs") });
    const { config } = await client.vm.info();
    using guest = GuestConsole.openPty(config.console?.file ?? "");
    await guest.readLine();
    for (const line of told) expect(await guest.command(line)).toBe("ok");
    await cocoon.run("snapshot", "save", "--name", "saved", "theirs");
    const path = join(dir, "saved.tar.gz");
    await cocoon.run("snapshot", "export", "--gzip", "-o", path, "saved");
    return path;
  } finally {
    await cocoon.run("vm", "rm", "--force", "theirs");
  }
}

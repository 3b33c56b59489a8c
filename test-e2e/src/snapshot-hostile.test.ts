import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { isSilkError, type SnapshotManifest, type Vm } from "@silkvm/core";
import { exportSnapshotTo } from "@silkvm/storage";
import { describe, expect, it } from "vitest";
import { copySnapshot, editJson, reseal } from "./snapshot-damage.ts";
import { expectAlive, filesBelow, onScene, whoRuns } from "./snapshot-scene.ts";
import { mainSnapshotTargets } from "./snapshot-targets.ts";

type Json = Record<string, unknown>;

/** What a config.json of a stranger may have in it. `foreign` is a file of the host that is none of the guest's business. */
const hostileConfigs: Readonly<Record<string, (config: Json, foreign: string) => Json>> = {
  "another path for its disk": (config, path) => ({ ...config, disks: disksAt(config, path) }),
  "a path for its disk that is a symlink's": (config, path) => ({
    ...config,
    disks: disksAt(config, `/proc/self/root${path}`),
  }),
  "another kernel": (config, kernel) => ({
    ...config,
    payload: { ...(config["payload"] as Json), kernel },
  }),
  "an initramfs": (config, initramfs) => ({
    ...config,
    payload: { ...(config["payload"] as Json), initramfs },
  }),
  "one more disk": (config, path) => ({
    ...config,
    disks: [...(config["disks"] as Json[]), { ...(config["disks"] as Json[])[0], id: "_d9", path }],
  }),
  "vCPUs pinned to CPUs that are not there": (config) => ({
    ...config,
    cpus: { ...(config["cpus"] as Json), affinity: [{ vcpu: 0, host_cpus: [9_999] }] },
  }),
  "a topology with nothing in it": (config) => ({
    ...config,
    cpus: {
      ...(config["cpus"] as Json),
      topology: { threads_per_core: 0, cores_per_die: 0, dies_per_package: 0, packages: 0 },
    },
  }),
  "a queue of an odd size": (config) => ({
    ...config,
    disks: [{ ...(config["disks"] as Json[])[0], queue_size: 3 }],
  }),
  "more queues than vCPUs": (config) => ({
    ...config,
    disks: [{ ...(config["disks"] as Json[])[0], num_queues: 9 }],
  }),
  "a balloon larger than its memory": (config) => ({ ...config, balloon: { size: 2 ** 40 } }),
  "a PCI device": (config) => ({
    ...config,
    devices: [{ path: "/sys/bus/pci/devices/0000:00:00.0/", id: "_vfio9" }],
  }),
  "a user device": (config, socket) => ({ ...config, user_devices: [{ socket, id: "_u9" }] }),
  "a shared directory": (config, socket) => ({
    ...config,
    fs: [{ tag: "all", socket, num_queues: 1, queue_size: 1024, id: "_fs9" }],
  }),
  "persistent memory": (config, file) => ({ ...config, pmem: [{ file, id: "_pmem9" }] }),
  "a vsock": (config, socket) => ({ ...config, vsock: { cid: 3, socket, id: "_vsock9" } }),
  "a vDPA device": (config, path) => ({ ...config, vdpa: [{ path, num_queues: 1, id: "_vdpa9" }] }),
  "a TPM": (config, socket) => ({ ...config, tpm: { socket } }),
  "a NIC": (config) => ({ ...config, net: [{ tap: "silkhostile0", id: "_net9" }] }),
  "a file for its serial line": (config, file) => ({
    ...config,
    serial: { file, mode: "File", iommu: false },
  }),
  "a file for its console": (config, file) => ({
    ...config,
    console: { file, mode: "File", iommu: false },
  }),
  "a file for its debug console": (config, file) => ({
    ...config,
    debug_console: { file, mode: "File", iobase: 233 },
  }),
  "another source of randomness": (config, src) => ({ ...config, rng: { src, iommu: false } }),
  "a file for its memory": (config, file) => ({
    ...config,
    memory: {
      ...(config["memory"] as Json),
      size: 0,
      zones: [{ id: "mem0", size: (config["memory"] as Json)["size"], file, shared: true }],
    },
  }),
  "more memory": (config) => ({
    ...config,
    memory: { ...(config["memory"] as Json), size: 2 ** 40 },
  }),
  "no disk": (config) => ({ ...config, disks: [] }),
};

function disksAt(config: Json, path: string): readonly Json[] {
  return (config["disks"] as Json[]).map((disk) => ({ ...disk, path }));
}

describe.each(mainSnapshotTargets)("on $name", (target) => {
  describe.skipIf(target.missing !== undefined)("a snapshot whose digests are all right", () => {
    it("and whose config.json names what is not its own is refused, or does not get it", async () => {
      await onScene(target, async ({ engine, sandbox, guest, boot }) => {
        const vm = await boot("victim");
        await guest.remember(vm, "untouched");
        await vm.save({ name: "good" });
        const good = join(sandbox.dir, "good");
        await exportSnapshotTo(engine, "good", good);
        const directory = join(sandbox.dir, "hostile");
        const secret = join(sandbox.dir, "secret");
        const nowhere = join(sandbox.dir, "nowhere");
        for (const [what, make] of Object.entries(hostileConfigs)) {
          for (const foreign of [secret, nowhere]) {
            writeFileSync(secret, "root:x:0:0:".repeat(1_000));
            copySnapshot(good, directory);
            editJson(join(directory, "config.json"), (config) => make(config, foreign));
            await reseal(directory);
            const untouched = await whoRuns(vm);
            const outcome = await engine
              .clone({ directory }, { name: "clone", timeoutMs: 20_000 })
              .catch((error: unknown) => error);
            if (isSilkError(outcome)) {
              // Found out by looking at it, not by the VMM that was given it.
              expect(outcome.code, `${what}: ${outcome.message}`).toMatch(/^SNAPSHOT_/);
              const again = await vm.restore({ directory }).catch((error: unknown) => error);
              expect(again, what).toMatchObject({ code: outcome.code });
              expect(await whoRuns(vm), what).toEqual(untouched);
            } else {
              const { vm: clone } = outcome as { readonly vm: Vm };
              await expectDoesNotHave(clone, foreign, what);
              expect(await guest.recall(clone), what).toBe("untouched");
              await clone.delete({ force: true });
            }
            expect(readFileSync(secret, "latin1"), what).toBe("root:x:0:0:".repeat(1_000));
            expect(await filesBelow(sandbox.dir), what).not.toContain("nowhere");
            expect(await engine.list({ all: true }), what).toHaveLength(1);
          }
        }
        await expectAlive(guest, vm);
      });
    }, 120_000);

    it("and whose manifest names files of the host gets none of which it does not know the content", async () => {
      await onScene(target, async ({ engine, sandbox, boot }) => {
        const vm = await boot("victim");
        await vm.save({ name: "good" });
        const good = join(sandbox.dir, "good");
        await exportSnapshotTo(engine, "good", good);
        const directory = join(sandbox.dir, "hostile");
        const secret = join(sandbox.dir, "secret");
        writeFileSync(secret, Buffer.alloc(65_536, "secret"));
        const digest = "0".repeat(64);
        const base = { role: "layer", readonly: true, serial: "base" } as const;
        const kernelAt = (manifest: SnapshotManifest): SnapshotManifest => ({
          ...manifest,
          vm: { ...manifest.vm, boot: { kind: "direct", kernelPath: secret, cmdline: "" } },
        });
        const withBase = (manifest: SnapshotManifest): SnapshotManifest => ({
          ...manifest,
          vm: { ...manifest.vm, disks: [{ ...base, path: secret }, ...manifest.vm.disks] },
        });
        const changes: Readonly<Record<string, (manifest: SnapshotManifest) => SnapshotManifest>> =
          {
            "its kernel": (manifest) => ({ ...kernelAt(manifest), externals: [{ path: secret }] }),
            "its kernel, with a digest": (manifest) => ({
              ...kernelAt(manifest),
              externals: [{ path: secret, sizeBytes: 65_536, chunksSha256: digest }],
            }),
            "a base disk": (manifest) => ({
              ...withBase(manifest),
              externals: [...manifest.externals, { path: secret }],
            }),
            "a base disk, with a digest": (manifest) => ({
              ...withBase(manifest),
              externals: [
                ...manifest.externals,
                { path: secret, sizeBytes: 65_536, chunksSha256: digest },
              ],
            }),
          };
        const untouched = await whoRuns(vm);
        for (const [what, change] of Object.entries(changes)) {
          copySnapshot(good, directory);
          await reseal(directory, change);
          await expect(engine.clone({ directory }, { name: "clone" }), what).rejects.toMatchObject({
            code: "SNAPSHOT_FOREIGN_FILE",
            message: expect.stringContaining(secret),
          });
          // Or the VM has no such disk to begin with.
          await expect(vm.restore({ directory }), what).rejects.toMatchObject({
            code: expect.stringMatching(/^SNAPSHOT_(?:FOREIGN_FILE|MISMATCH)$/),
          });
          expect(await whoRuns(vm), what).toEqual(untouched);
          expect(await engine.list({ all: true }), what).toHaveLength(1);
        }
      });
    });

    it("keeps every digit of the numbers in it, also of those beyond 2^53", async () => {
      await onScene(target, async ({ engine, sandbox, guest, boot }) => {
        const vm = await boot("numbers");
        await guest.remember(vm, "counted");
        await vm.save({ name: "numbers" });
        const directory = join(sandbox.dir, "numbers");
        await exportSnapshotTo(engine, "numbers", directory);
        const big = [9007199254740993n, 18446744073709551615n, -9223372036854775807n];
        editJson(join(directory, "config.json"), (config) => ({
          ...config,
          cpus: { ...(config["cpus"] as Json), silk_future: big },
          memory: { ...(config["memory"] as Json), silk_future: big },
        }));
        editJson(join(directory, "state.json"), (state) => ({ ...state, silk_future: big }));
        await reseal(directory);
        for (const restoreMode of ["copy", "cow"] as const) {
          const { vm: clone } = await engine.clone({ directory }, { restoreMode, strict: true });
          expect(await guest.recall(clone)).toBe("counted");
          await vm.restore({ directory }, { restoreMode, strict: true });
          expect(await guest.recall(vm)).toBe("counted");
          // What a VMM has read once and needs no more is not kept.
          if (restoreMode === "cow")
            for (const { paths } of [await clone.inspect(), await vm.inspect()])
              await expectSameNumbers(directory, paths.dataDir);
        }
      });
    });
  });
});

/** The VMM has neither been told of a file, nor opened it. */
async function expectDoesNotHave(vm: Vm, foreign: string, what: string): Promise<void> {
  const { observed, runtime } = await vm.inspect();
  expect(JSON.stringify(observed.raw), what).not.toContain(foreign);
  expect(JSON.stringify(observed.raw), what).not.toContain("silkhostile");
  const descriptors = `/proc/${runtime!.vmm.pid}/fd`;
  for (const descriptor of readdirSync(descriptors)) {
    const link = join(descriptors, descriptor);
    // One may have been closed since they were listed.
    const target = await readlink(link).catch(() => undefined);
    expect(target, what).not.toBe(foreign);
  }
}

/** What the VMM was given holds the same large numbers as the snapshot, as often. */
async function expectSameNumbers(snapshot: string, dataDir: string): Promise<void> {
  const below = await filesBelow(dataDir);
  for (const name of ["config.json", "state.json"]) {
    const [given, ...others] = below.filter((path) => path.endsWith(name));
    expect([name, others]).toEqual([name, []]);
    const large = async (path: string): Promise<readonly string[]> =>
      ((await readFile(path, "utf8")).match(/-?\d{16,}/g) ?? []).sort();
    expect(await large(join(dataDir, given!))).toEqual(await large(join(snapshot, name)));
  }
}

import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createChClient, waitForState } from "@silkvm/ch-client";
import type { Disk, Host, Hypervisor, OperationContext, VmRecord } from "@silkvm/core";
import { withGate } from "@silkvm/core/testing";
import { linuxHost } from "@silkvm/sys";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Bench, quiet, started } from "./bench-vm.ts";
import { makeClone, simulatedAs, take } from "./snapshot-bench.ts";
import { simulatedVmm } from "./vmms.ts";

const host = linuxHost();
const mib = 1024 ** 2;

let bench: Bench;
let backend: Hypervisor;
beforeEach(async () => {
  bench = await Bench.make(simulatedVmm);
  backend = await bench.backend();
});
afterEach(() => bench[Symbol.asyncDispose]());

const stateOf = async (vm: VmRecord): Promise<string> => (await backend.inspect(vm)).vmm;

/** A call that the VMM answers with a failure. */
function refusing(call: string, words: string) {
  return { call, action: "fail", status: 500, body: JSON.stringify([words]) } as const;
}

/** A VM that runs, with a disk of its own. */
async function running(on: Hypervisor = backend, more: Partial<VmRecord> = {}): Promise<VmRecord> {
  const path = join(bench.paths({ id: more.id ?? "vm1" }).dataDir, "cow.raw");
  const disks: Disk[] = [{ path, role: "cow", readonly: false, serial: "cocoon-cow" }];
  const vm = await bench.vm({ disks, ...more });
  if (more.disks === undefined) await writeFile(path, Buffer.alloc(mib, "before"));
  return await started(on, vm);
}

/** A context that is aborted as soon as an effect has been had, and a host that has it. */
function abortedAfter(name: string): { readonly context: OperationContext; readonly on: Host } {
  const controller = new AbortController();
  const on = withGate(host, (effect) => {
    if (!effect.name.startsWith(name)) return undefined;
    return () => controller.abort();
  });
  return { context: quiet(controller.signal), on };
}

function failing(name: string): Host {
  return withGate(host, (effect) => {
    if (effect.name.startsWith(name)) throw Object.assign(new Error(name), { code: "EIO" });
    return undefined;
  });
}

describe("a VM that is being saved", () => {
  it("runs on where the VMM cannot write its memory", async () => {
    const chBinary = await simulatedAs(bench, {
      faults: [refusing("vm.snapshot", "no space")],
    });
    const vm = await running(await bench.backend(host, { chBinary }));
    await expect(take(bench, backend, vm)).rejects.toMatchObject({
      code: "VMM_REFUSED",
      message: expect.stringContaining("no space") as string,
    });
    expect(await stateOf(vm)).toBe("running");
  });

  it.each(["vm.pause", "vm.resume"])("is saved though the first %s fails", async (call) => {
    const chBinary = await simulatedAs(bench, {
      faults: [{ ...refusing(call, "not now"), nth: 1 }],
    });
    const vm = await running(await bench.backend(host, { chBinary }));
    const { timings } = await take(bench, backend, vm);
    expect(timings.pauseMs).toBeLessThanOrEqual(timings.totalMs);
    expect(await stateOf(vm)).toBe("running");
  });

  it("says so where it cannot be resumed, and is resumed by the next command", async () => {
    const chBinary = await simulatedAs(bench, {
      faults: [1, 2, 3, 4].map((nth) => ({ ...refusing("vm.resume", "not now"), nth })),
    });
    const vm = await running(await bench.backend(host, { chBinary }));
    await expect(take(bench, backend, vm)).rejects.toMatchObject({ code: "RESUME_FAILED" });
    expect(await stateOf(vm)).toBe("paused");
    await backend.recover(vm, quiet());
    expect(await stateOf(vm)).toBe("running");
  });

  it.each(["files.copy", "files.chmod", "files.sync"])("runs on where %s fails", async (effect) => {
    const vm = await running();
    const faulty = await bench.backend(failing(effect));
    await expect(take(bench, faulty, vm)).rejects.toThrow(effect);
    expect(await stateOf(vm)).toBe("running");
  });

  it.each(["PUT vm.pause", "PUT vm.snapshot", "files.copy"])(
    "runs on where it is called off after %s",
    async (effect) => {
      const vm = await running();
      const { context, on } = abortedAfter(effect);
      await expect(take(bench, await bench.backend(on), vm, { context })).rejects.toMatchObject({
        name: "AbortError",
      });
      expect(await stateOf(vm)).toBe("running");
    },
  );

  it.each(["resume", "stop"] as const)(
    "runs on where the snapshot cannot be published, whether it was to %s or not",
    async (afterwards) => {
      const vm = await running();
      const beforePublished = () => Promise.reject(new Error("the store is full"));
      await expect(take(bench, backend, vm, { afterwards, beforePublished })).rejects.toThrow(
        "the store is full",
      );
      expect(await stateOf(vm)).toBe("running");
    },
  );

  it("to be ended stands still until its snapshot is published, and is ended then", async () => {
    const vm = await running();
    const states: string[] = [];
    const beforePublished = async () => void states.push(await stateOf(vm));
    await take(bench, backend, vm, { afterwards: "stop", beforePublished });
    expect(states).toEqual(["paused"]);
    expect(await bench.processes()).toEqual([]);
  });

  it("is not even paused where there is no room", async () => {
    const vm = await running();
    const names: string[] = [];
    const full = withGate(host, ({ name }) => void names.push(name));
    const faulty = await bench.backend({
      ...full,
      files: { ...full.files, space: async () => ({ freeBytes: mib, totalBytes: mib, type: "x" }) },
    });
    await expect(take(bench, faulty, vm)).rejects.toMatchObject({ code: "DISK_FULL" });
    expect(names).not.toContain("PUT vm.pause");
  });

  it("tells of a qcow2 image that the guest has to flush what it writes, and of no other disk", async () => {
    const dir = bench.paths({ id: "vm1" }).dataDir;
    const path = join(dir, "given.qcow2");
    await mkdir(dir, { recursive: true });
    await host.processes.run({
      command: "qemu-img",
      args: ["create", "-q", "-f", "qcow2", path, "16M"],
    });
    const raw = join(dir, "raw.raw");
    await writeFile(raw, Buffer.alloc(mib));
    const vm = await running(backend, {
      disks: [
        { path, role: "data", readonly: false, serial: "q" },
        { path: raw, role: "data", readonly: false, serial: "r" },
      ],
    });
    const warnings: string[] = [];
    await take(bench, backend, vm, {
      context: { ...quiet(), warn: (text) => void warnings.push(text) },
    });
    expect(warnings).toEqual([expect.stringMatching(/given\.qcow2 .*flushed/)]);
  });

  it("is refused where it does not run, or has what cannot be saved, which is named", async () => {
    const stopped = await bench.vm();
    await expect(take(bench, backend, stopped)).rejects.toMatchObject({ code: "VM_NOT_RUNNING" });
    const vm = await running();
    await using client = createChClient({ socketPath: bench.paths(vm).apiSocketPath });
    await client.vm.addVsock({ cid: 3, socket: join(bench.dir, "v.sock"), id: "talk" });
    await expect(take(bench, backend, vm)).rejects.toMatchObject({
      code: "SNAPSHOT_UNSUPPORTED",
      message: expect.stringContaining('a vsock device "talk"') as string,
    });
    expect(await stateOf(vm)).toBe("running");
  });
});

describe("a clone", () => {
  it("reads its memory where the VMM does not take another mode, and says so where one was asked for", async () => {
    const snapshot = await take(bench, backend, await running());
    const chBinary = await simulatedAs(bench, {
      faults: [refusing("vm.restore", "no userfaultfd")],
    });
    // The VMM of the first try refuses; the one of the second does not.
    const once = join(bench.dir, "once");
    await writeFile(
      once,
      `#!/bin/sh\n[ -e '${bench.dir}/refused' ] && exec '${bench.dir}/cloud-hypervisor' "$@"\n` +
        `case "$*" in *--api-socket*) : > '${bench.dir}/refused';; esac\nexec '${chBinary}' "$@"\n`,
      { mode: 0o755 },
    );
    const unwilling = await bench.backend(host, { chBinary: once });
    const warnings: string[] = [];
    const context = { ...quiet(), warn: (text: string) => void warnings.push(text) };
    const vm = await makeClone(bench, unwilling, snapshot, { id: "c1", mode: "ondemand", context });
    expect(vm.runtime?.memory).toMatchObject({
      requested: "ondemand",
      used: "copy",
      reason: expect.stringContaining("no userfaultfd") as string,
    });
    expect(warnings).toEqual([expect.stringContaining("no userfaultfd")]);
    expect(await stateOf(vm)).toBe("running");
  });

  it("is refused where the VMM does not take the mode that was insisted on, and nothing of it runs", async () => {
    const vm = await running();
    const snapshot = await take(bench, backend, vm);
    const chBinary = await simulatedAs(bench, {
      faults: [refusing("vm.restore", "no userfaultfd")],
    });
    const unwilling = await bench.backend(host, { chBinary });
    const before = await bench.processes();
    await expect(
      makeClone(bench, unwilling, snapshot, { id: "c1", mode: "ondemand", strict: true }),
    ).rejects.toMatchObject({ code: "RESTORE_MODE_UNAVAILABLE" });
    await expect(makeClone(bench, unwilling, snapshot, { id: "c2" })).rejects.toMatchObject({
      message: expect.stringContaining("could not restore the guest: no userfaultfd") as string,
    });
    expect(await bench.processes()).toEqual(before);
  });

  it("keeps a link to the memory file as long as it runs on it, and no longer", async () => {
    const snapshot = await take(bench, backend, await running());
    const names = async (vm: VmRecord) =>
      (await host.files.list(join(bench.paths(vm).dataDir, "restore"))).join(" ");
    const mapped = await makeClone(bench, backend, snapshot, { id: "c1", mode: "cow" });
    expect(await names(mapped)).toBe("config.json memory-ranges state.json");
    for (const mode of ["copy", "ondemand"] as const)
      expect(await names(await makeClone(bench, backend, snapshot, { id: mode, mode }))).toBe("");
    await backend.stop(mapped, { force: true, graceMs: 0 }, quiet());
    expect(await names(mapped)).toBe("");
  });

  it("of a snapshot of a newer VMM is refused, and of an older one warned of", async () => {
    const { source, timings } = await take(bench, backend, await running());
    const by = (vmmVersion: string) => {
      const manifest = { ...source.manifest, host: { ...source.manifest.host, vmmVersion } };
      return { source: { ...source, manifest }, timings };
    };
    await expect(makeClone(bench, backend, by("v99.0"), { id: "c1" })).rejects.toMatchObject({
      code: "SNAPSHOT_UNSUPPORTED",
    });
    const warnings: string[] = [];
    const context = { ...quiet(), warn: (text: string) => void warnings.push(text) };
    await makeClone(bench, backend, by("v52.0"), { id: "c2", context });
    expect(warnings).toEqual([expect.stringContaining("v52.0")]);
  });
});

describe("a VM that goes back to a snapshot", () => {
  /** A VM with a disk of somebody's own, to which a symlink leads. */
  async function onOwnDisk(): Promise<{ readonly vm: VmRecord; readonly own: string }> {
    const own = join(bench.dir, "own.raw");
    const path = join(bench.dir, "link.raw");
    await writeFile(own, Buffer.alloc(mib, "before"));
    await symlink(own, path);
    return {
      vm: await running(backend, { disks: [{ path, role: "data", readonly: false }] }),
      own,
    };
  }

  const start = async (path: string): Promise<string> =>
    (await readFile(path)).subarray(0, 6).toString();

  it("gets its own disks back, wherever they are, and leaves nothing beside them", async () => {
    const { vm, own } = await onOwnDisk();
    const { source } = await take(bench, backend, vm);
    await writeFile(own, Buffer.alloc(mib, "after!"));
    const before = await host.files.list(bench.dir);
    const request = {
      source,
      mode: "auto",
      strict: false,
      beforeTouching: async () => {},
    } as const;
    const { runtime } = await backend.restore(vm, request, quiet());
    expect(await start(own)).toBe("before");
    expect(await host.files.list(bench.dir)).toEqual(before);
    expect(host.processes.isAlive(vm.runtime!.vmm)).toBe(false);
    expect(await stateOf({ ...vm, runtime })).toBe("running");
    expect(await host.files.list(bench.paths(vm).dataDir)).toEqual([]);
  });

  it("is as it was where it may not be touched after all", async () => {
    const { vm, own } = await onOwnDisk();
    const { source } = await take(bench, backend, vm);
    await writeFile(own, Buffer.alloc(mib, "after!"));
    const beforeTouching = () => Promise.reject(new Error("not now"));
    await expect(
      backend.restore(vm, { source, mode: "auto", strict: false, beforeTouching }, quiet()),
    ).rejects.toThrow("not now");
    expect(await start(own)).toBe("after!");
    expect(await host.files.stat(`${own}.silk-staged`)).toBeUndefined();
    expect(await host.files.list(bench.paths(vm).dataDir)).toEqual([]);
    expect(host.processes.isAlive(vm.runtime!.vmm)).toBe(true);
  });

  it.each(["recover", "start"] as const)(
    "and was interrupted after its VMM had ended has all of its new disks after a %s",
    async (verb) => {
      const { vm, own } = await onOwnDisk();
      const { source } = await take(bench, backend, vm);
      await writeFile(own, Buffer.alloc(mib, "after!"));
      const request = {
        source,
        mode: "auto",
        strict: false,
        beforeTouching: async () => {},
      } as const;
      const faulty = await bench.backend(failing("files.rename"));
      await expect(faulty.restore(vm, request, quiet())).rejects.toThrow("files.rename");
      expect(await bench.processes()).toEqual([]);
      expect(await start(own)).toBe("after!");
      await backend[verb](vm, quiet());
      expect(await start(own)).toBe("before");
      expect(await host.files.list(bench.paths(vm).dataDir)).toEqual([]);
    },
  );

  it("and was interrupted before its VMM had ended has its own disks, and nothing staged", async () => {
    const { vm, own } = await onOwnDisk();
    const { source } = await take(bench, backend, vm);
    await writeFile(own, Buffer.alloc(mib, "after!"));
    const request = {
      source,
      mode: "auto",
      strict: false,
      beforeTouching: async () => {},
    } as const;
    const faulty = await bench.backend(failing("files.writeAtomic"));
    await expect(faulty.restore(vm, request, quiet())).rejects.toThrow("files.writeAtomic");
    await backend.recover(vm, quiet());
    expect(await start(own)).toBe("after!");
    expect(await host.files.stat(`${own}.silk-staged`)).toBeUndefined();
    expect(await host.files.list(bench.paths(vm).dataDir)).toEqual([]);
  });

  it("that is left paused by somebody who died runs on", async () => {
    const vm = await running();
    await using client = createChClient({ socketPath: bench.paths(vm).apiSocketPath });
    await client.vm.pause();
    await backend.recover(vm, quiet());
    await waitForState(client, "Running");
    await backend.recover(vm, quiet());
    expect(await stateOf(vm)).toBe("running");
  });
});

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Engine, Vm, VmSpec } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { expect } from "vitest";
import { makeSandbox, type Sandbox } from "./sandbox.ts";
import type { GuestWords } from "./snapshot-guest.ts";
import type { SnapshotTarget } from "./snapshot-targets.ts";

const host = linuxHost();

/** What a test of snapshots works with. */
export interface Scene {
  readonly engine: Engine;
  readonly sandbox: Sandbox;
  readonly guest: GuestWords;
  /** A VM that runs. */
  readonly boot: (name: string, spec?: Partial<VmSpec>) => Promise<Vm>;
}

/** Runs a test in directories of its own; at its end all VMs and snapshots are removed, and nothing of them may be left. */
export async function onScene(
  target: SnapshotTarget,
  test: (scene: Scene) => Promise<void>,
): Promise<void> {
  await using sandbox = await makeSandbox(await target.vmm());
  await using engine = await sandbox.engine();
  const spec = await target.spec();
  const boot = async (name: string, more: Partial<VmSpec> = {}): Promise<Vm> => {
    const vm = await engine.create({ ...spec, ...more, name });
    await vm.start();
    return vm;
  };
  await test({ engine, sandbox, guest: target.guest, boot });
  await expectNothingLeft(engine, sandbox);
}

/** Removes everything, and sees to it that nothing is left of it. */
export async function expectNothingLeft(engine: Engine, sandbox: Sandbox): Promise<void> {
  const vms = (await engine.list({ all: true })).map(({ id }) => id);
  expect((await engine.delete(vms, { force: true })).failed).toEqual([]);
  const snapshots = (await engine.snapshots.list()).map(({ id }) => id);
  expect((await engine.snapshots.delete(snapshots)).failed).toEqual([]);
  expect(await engine.gc({ dryRun: true })).toEqual([]);
  const { rootDir, runDir, logDir } = sandbox.config;
  expect(await filesBelow(join(rootDir, "vms"))).toEqual([]);
  expect(await filesBelow(join(rootDir, "snapshots"))).toEqual([]);
  expect(await filesBelow(runDir)).toEqual([]);
  expect(await filesBelow(logDir)).toEqual([]);
  expect(await processesIn(sandbox)).toEqual([]);
}

/** Names below a directory, but for the one in which a root keeps what is its own. */
export async function filesBelow(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory, { recursive: true }).catch(() => []);
  return names.filter((name) => !/^[0-9a-f]{8}$/.test(name));
}

/** Ids of the processes that work on a sandbox's VMs. */
export async function processesIn({ config }: Sandbox): Promise<readonly number[]> {
  const found = await host.processes.find((argv) =>
    argv.some((argument) => argument.includes(config.runDir)),
  );
  return found.map(({ identity }) => identity.pid);
}

/** The VM runs, its guest with it, and time goes on in it. */
export async function expectAlive(guest: GuestWords, vm: Vm): Promise<void> {
  expect((await vm.inspect()).observed.vmm).toBe("running");
  const before = await guest.count(vm);
  await expect.poll(() => guest.count(vm), { timeout: 10_000 }).toBeGreaterThan(before);
}

/** What shows that nobody has touched a VM. */
export async function whoRuns(vm: Vm): Promise<unknown> {
  const { runtime, disks, observed } = await vm.inspect();
  return { runtime, disks, vmm: observed.vmm };
}

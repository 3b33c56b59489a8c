import { open } from "node:fs/promises";
import { join } from "node:path";
import cloudHypervisorPlugin from "@silkvm/cloud-hypervisor";
import { createEngine, type Engine, type Host, type Vm, type VmSpec } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { GuestConsole } from "../src/guest-console.ts";
import { buildGuest } from "../src/guest.ts";
import { findRealVmm } from "../src/real-vmm.ts";
import { snapshotTargets } from "../src/snapshot-targets.ts";
import type { Place } from "./places.ts";
import { cleanEnvironment } from "./program.ts";
import type { SuiteContext } from "./suite.ts";

const mebibyte = 1024 ** 2;
const fillTimeoutMs = 120_000;
const askAgainMs = 500;
const mostTries = 40;
/** What is written to a COW disk, beyond its empty file system. */
const diskDataBytes = 32 * mebibyte;
const diskDataAt = 64 * mebibyte;

/** How large a guest is, and how much of its memory holds something. */
export interface GuestSize {
  readonly name: string;
  readonly memoryMib: number;
  readonly filledMib: number;
}

export const guestSizes = {
  idle256: { name: "256 MiB, idle", memoryMib: 256, filledMib: 0 },
  dense256: { name: "256 MiB, dense", memoryMib: 256, filledMib: 240 },
  idle1024: { name: "1 GiB, idle", memoryMib: 1024, filledMib: 0 },
  half1024: { name: "1 GiB, half of it in use", memoryMib: 1024, filledMib: 500 },
  dense1024: { name: "1 GiB, dense", memoryMib: 1024, filledMib: 1000 },
} as const satisfies Record<string, GuestSize>;

/** Where VMs are saved and brought back: a place with an engine of its own, on the real Cloud Hypervisor. */
export interface SnapshotBed extends AsyncDisposable {
  readonly place: Place;
  readonly host: Host;
  readonly engine: Engine;
  /** For the command line on the same VMs. */
  readonly env: Readonly<Record<string, string>>;
  readonly chPath: string;
  readonly chRemotePath: string;
  /** A VM that runs, with so much in its memory and {@link diskDataBytes} on its disk. */
  boot(name: string, size: GuestSize): Promise<Vm>;
  deleteVms(): Promise<void>;
}

/** The real Cloud Hypervisor as it can save VMs here; nothing where there is none, which is said. */
export async function findSnapshotVmm({
  note,
}: Pick<SuiteContext, "note">): Promise<
  { readonly chPath: string; readonly chRemotePath: string } | undefined
> {
  const target = snapshotTargets.find(({ name }) => name === "cloud-hypervisor");
  const { chRemotePath } = findRealVmm();
  if (target === undefined || target.missing !== undefined || chRemotePath === undefined) {
    note(`no real Cloud Hypervisor: ${target?.missing ?? "ch-remote is missing"}`);
    return undefined;
  }
  return { chPath: await target.vmm(), chRemotePath };
}

export async function makeBed(
  place: Place,
  vmm: { readonly chPath: string; readonly chRemotePath: string },
): Promise<SnapshotBed> {
  const host = linuxHost();
  const config = {
    rootDir: join(place.dir, "root"),
    runDir: join(place.dir, "run"),
    logDir: join(place.dir, "log"),
    chBinary: vmm.chPath,
  };
  const engine = await createEngine({ host, plugins: [cloudHypervisorPlugin], config });
  const { kernelPath } = await buildGuest({});
  const deleteVms = async (): Promise<void> => {
    const vms = await engine.list({ all: true });
    const { failed } = await engine.delete(
      vms.map(({ id }) => id),
      { force: true },
    );
    if (failed[0] !== undefined) throw failed[0].error;
  };
  return {
    place,
    host,
    engine,
    env: { ...cleanEnvironment(place.dir), SILK_CH_BINARY: vmm.chPath },
    ...vmm,
    boot: async (name, { memoryMib, filledMib }) => {
      const spec: VmSpec = {
        name,
        cpus: 1,
        memoryBytes: memoryMib * mebibyte,
        storageBytes: 1024 * mebibyte,
        boot: { kernel: kernelPath },
      };
      const vm = await engine.create(spec);
      const cow = (await vm.inspect()).disks.find(({ role }) => role === "cow");
      if (cow === undefined) throw new Error("the VM has no COW disk");
      await writeDisk(cow.path);
      await vm.start();
      await using attached = await vm.console();
      await fillMemory(attached.path, filledMib);
      return vm;
    },
    deleteVms,
    [Symbol.asyncDispose]: async () => {
      await deleteVms();
      const snapshots = await engine.snapshots.list();
      await engine.snapshots.delete(snapshots.map(({ id }) => id));
      await engine[Symbol.asyncDispose]();
    },
  };
}

/** Puts data on a disk, where its file system has nothing. */
export async function writeDisk(path: string): Promise<void> {
  await using file = await open(path, "r+");
  const data = Buffer.alloc(mebibyte, "something on the disk\n");
  for (let at = 0; at < diskDataBytes; at += data.length)
    await file.write(data, 0, data.length, diskDataAt + at);
  await file.sync();
}

/** Waits until a guest listens, and has it write to every page of so much of its memory. */
export async function fillMemory(ptyPath: string, mebibytes: number): Promise<void> {
  using guest = GuestConsole.openPty(ptyPath);
  await listens(guest);
  if (mebibytes === 0) return;
  guest.send(`mem 7 ${mebibytes}`);
  for (;;) {
    const answer = await guest.readLine({ timeoutMs: fillTimeoutMs });
    if (answer === "ok") return;
    if (answer.startsWith("error")) throw new Error(`the guest's memory: ${answer}`);
  }
}

/** What is said to a guest that is still booting is lost. */
async function listens(guest: GuestConsole): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    guest.send("hello");
    try {
      await guest.readLine({ timeoutMs: askAgainMs });
      return;
    } catch (error) {
      if (tries === mostTries) throw error;
    }
  }
}

import { join } from "node:path";
import {
  type Disk,
  type OperationContext,
  type RestoredMemory,
  type SnapshotSource,
  stopwatch,
  type VmRecord,
  type VmRuntime,
} from "@silkvm/core";
import { blockDevices, diskArgs } from "./disks.ts";
import { addDevice } from "./hot-plug.ts";
import { launch } from "./launch.ts";
import { type LaunchedVmm, launchVmm } from "./launch-vmm.ts";
import { portId } from "./layout.ts";
import type { Machine } from "./machine.ts";
import { type MachineDocument, memoryName } from "./machine-document.ts";
import { loadGuest } from "./migration.ts";
import { netdevOf, nicArgs } from "./nic-args.ts";
import { freePorts } from "./ports.ts";
import { hasVhost } from "./shape.ts";
import { untilRunning } from "./start.ts";
import { putVars, varsName } from "./uefi-vars.ts";
import { type PlacedNic, vmArgs, type VmShape } from "./vm-args.ts";

/** How long the VMM took: until its monitor answered, until the guest was there, and until it ran. */
export interface LoadTimes {
  launchMs: number;
  restoreMs: number;
  resumeMs: number;
}

const gib = 1024 ** 3;
/** How long the VMM may take to read a guest's memory from a slow disk. */
const readMsPerGib = 60_000;

/** A VM that is to come up from a snapshot. */
export interface Load {
  readonly source: SnapshotSource;
  readonly document: MachineDocument;
  readonly memory: RestoredMemory;
  /** The disks of the snapshot, in its order, where they are now. */
  readonly disks: readonly Disk[];
  /** The TAPs for the snapshot's NICs. */
  readonly taps: readonly string[];
  /** Whether the guest gets the NICs of the record in the place of the snapshot's, which go with their TAPs. */
  readonly swapNics: boolean;
  /** Disks that the snapshot has not. */
  readonly moreDisks: readonly Disk[];
}

/** Launches a VMM that goes on with the guest. Where it throws nothing of the VM runs. */
export async function load(
  machine: Machine,
  vm: VmRecord,
  request: Load,
  context: OperationContext,
): Promise<{ readonly runtime: VmRuntime; readonly times: Readonly<LoadTimes> }> {
  const { host, paths, settings } = machine;
  const { signal, progress, warn } = context;
  const times: LoadTimes = { launchMs: 0, restoreMs: 0, resumeMs: 0 };
  const what = `the VM ${vm.name} could not be restored`;
  const { accel } = request.document;
  const varsPath = await takeVars(machine, vm, request.source);
  const readMs = Math.ceil(vm.config.memoryBytes / gib) * readMsPerGib;
  const runtime = await launch(
    machine,
    vm,
    { what, signal, warn, accel },
    async ({ program, buffered }) => {
      progress("starting the VMM");
      const took = stopwatch(host);
      return await launchVmm(
        machine,
        vm,
        {
          program,
          args: vmArgs(vm, paths(vm), await shapeOf(machine, { ...request, buffered, varsPath })),
          timeoutMs: settings.startTimeoutMs + readMs,
          failure: "QEMU could not restore the guest",
          bringUp: async (vmm) => {
            times.launchMs = took();
            progress("restoring the guest");
            await bringUp(machine, vm, { ...request, buffered, times }, vmm);
          },
        },
        { signal },
      );
    },
  );
  return { runtime: { ...runtime, memory: request.memory }, times };
}

/** Gives the VM the variables of UEFI that the snapshot has. @returns where they are; undefined where it has none */
async function takeVars(
  { host, paths }: Machine,
  vm: VmRecord,
  { directory, manifest }: SnapshotSource,
): Promise<string | undefined> {
  if (!manifest.files.some(({ name }) => name === varsName)) return undefined;
  const path = join(paths(vm).dataDir, varsName);
  await putVars(host, join(directory, varsName), path);
  return path;
}

async function shapeOf(
  { host }: Machine,
  request: Load & Pick<VmShape, "buffered" | "varsPath">,
): Promise<VmShape> {
  const { document, disks, swapNics, buffered, varsPath } = request;
  return {
    machine: document.machine,
    accel: document.accel,
    disks: disks.map((disk, index) => ({
      disk,
      ...(document.disks[index] as MachineDocument["disks"][number]),
    })),
    nics: oldNics(request),
    blockDevices: await blockDevices(host, disks),
    // The kernel has nothing to do with NICs that go at once.
    vhost: !swapNics && (await hasVhost(host)),
    buffered,
    varsPath,
    incoming: true,
  };
}

/** The NICs of the snapshot, as the guest knows them. */
function oldNics({ document, source, taps }: Load): readonly PlacedNic[] {
  return document.nics.map(({ id, port, queues }, index) => {
    const known = source.manifest.vm.nics[index];
    return {
      id,
      port,
      nic: {
        tap: taps[index] as string,
        mac: known?.mac ?? "",
        queues,
        queueSize: known?.queueSize ?? 0,
      },
    };
  });
}

async function bringUp(
  machine: Machine,
  vm: VmRecord,
  request: Load & { readonly buffered: boolean; readonly times: LoadTimes },
  vmm: LaunchedVmm,
): Promise<void> {
  const { host } = machine;
  const { monitor, options } = vmm;
  const { document, source, times } = request;
  const restoring = stopwatch(host);
  const path = join(source.directory, memoryName);
  await loadGuest(
    host,
    monitor,
    { version: monitor.version, format: document.memory, path },
    options,
  );
  times.restoreMs = restoring();
  const resuming = stopwatch(host);
  if (request.swapNics) await exchangeNics(machine, vm, request, vmm);
  await addDisks(machine, vm, request, vmm);
  await monitor.execute("cont", undefined, options());
  await host.effect("QMP running", () => untilRunning(machine, vmm));
  times.resumeMs = resuming();
}

/** The guest lets go of its old NICs as soon as it runs, and meets the new ones. The old ones have lost their TAPs by then. */
async function exchangeNics(
  { host }: Machine,
  vm: VmRecord,
  request: Load,
  { monitor, options }: LaunchedVmm,
): Promise<void> {
  for (const { id, nic } of oldNics(request)) {
    await monitor.execute("device_del", { id }, options());
    await monitor.execute("netdev_del", { id: netdevOf(nic.tap) }, options());
  }
  const vhost = await hasVhost(host);
  const ports = await freePorts(monitor, options());
  for (const [index, nic] of vm.nics.entries()) {
    const place = { bus: portId(ports[index] as number) };
    // An id of the snapshot's is taken as long as the guest has not let go of it.
    const { netdev, device } = nicArgs(
      { nic, id: `nic-${vm.id}-${index}`, place, vhost },
      vm.config,
    );
    await monitor.execute("netdev_add", netdev, options());
    await addDevice(monitor, device, options());
  }
}

async function addDisks(
  { host }: Machine,
  vm: VmRecord,
  { moreDisks, disks, buffered }: Load & { readonly buffered: boolean },
  { monitor, options }: LaunchedVmm,
): Promise<void> {
  if (moreDisks.length === 0) return;
  const blocks = await blockDevices(host, moreDisks);
  const ports = await freePorts(monitor, options());
  for (const [index, disk] of moreDisks.entries()) {
    const id = `disk${disks.length + index}`;
    const place = { bus: portId(ports[index] as number) };
    const isBlockDevice = blocks.has(disk.path);
    const { nodes, device } = diskArgs({ disk, id, place, isBlockDevice, buffered }, vm.config);
    for (const node of nodes) await monitor.execute("blockdev-add", node, options());
    await addDevice(monitor, device, options());
  }
}

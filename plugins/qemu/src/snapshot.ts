import { join } from "node:path";
import {
  type OperationContext,
  requireVmm,
  type SaveTimings,
  type SnapshotRequest,
  type VmRecord,
} from "@silkvm/core";
import { saveVm } from "@silkvm/storage";
import { fromQmp } from "./from-qmp.ts";
import type { Machine } from "./machine.ts";
import { machineName, memoryName, writeMachineDocument } from "./machine-document.ts";
import { memoryFormat, saveGuest } from "./migration.ts";
import { openMonitor } from "./monitor.ts";
import { resume } from "./pause.ts";
import { removeSockets } from "./remove-sockets.ts";
import { runState, standsStill } from "./run-state.ts";
import { saveable } from "./saveable.ts";
import { varsName } from "./uefi-vars.ts";

/** Saves a VM. QEMU gives its disks out of its hands with the memory: what was in its caches is in the files when they are copied. */
export async function snapshot(
  machine: Machine,
  vm: VmRecord,
  request: SnapshotRequest,
  context: OperationContext,
): Promise<SaveTimings> {
  context.signal?.throwIfAborted();
  requireVmm(machine, vm);
  try {
    return await save(machine, vm, request, context);
  } catch (error) {
    throw fromQmp(error, `the VM ${vm.name} could not be saved`);
  }
}

async function save(
  machine: Machine,
  vm: VmRecord,
  request: SnapshotRequest,
  context: OperationContext,
): Promise<SaveTimings> {
  const { host } = machine;
  const { signal } = context;
  const { directory } = request;
  await using monitor = await openMonitor(machine, vm, { signal });
  const { version } = monitor;
  const { disks, document, varsPath } = await saveable(machine, vm, monitor);
  const format = memoryFormat(version);
  const saver = {
    // A guest that somebody left paused is as good.
    pause: async () => {
      if (!standsStill(await runState(monitor))) await monitor.execute("stop");
    },
    saveGuest: async () => {
      const path = join(directory, memoryName);
      await saveGuest(host, monitor, { version, format, path }, { signal });
      if (varsPath !== undefined) await host.files.copy(varsPath, join(directory, varsName));
    },
    resume: () => resume(machine, vm, monitor),
    finish: async () => {
      await writeMachineDocument(host, directory, { ...document, memory: format });
      return [machineName, memoryName, ...(varsPath === undefined ? [] : [varsName])];
    },
    clearUp: () => removeSockets(machine, vm),
  };
  return await saveVm(machine, { vm, disks, saver }, request, context);
}

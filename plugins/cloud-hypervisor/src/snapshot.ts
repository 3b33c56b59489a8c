import { join } from "node:path";
import { isOnDemandRestoreInProgress } from "@silkvm/ch-client";
import {
  type OperationContext,
  requireVmm,
  type SaveTimings,
  SilkError,
  type SnapshotRequest,
  type VmRecord,
} from "@silkvm/core";
import { isNamedQcow2, saveVm, snapshotUnsupported } from "@silkvm/storage";
import { openClient } from "./client.ts";
import { makePlain } from "./cow-rewrite.ts";
import { fromVmm } from "./from-vmm.ts";
import type { Machine } from "./machine.ts";
import { pause, resume } from "./pause.ts";
import { disksToSave } from "./saveable.ts";
import { formatDocuments, parseDocuments } from "./snapshot-documents.ts";
import { configName, memoryName, restoreDir, stateName } from "./snapshot-names.ts";
import { removeSockets } from "./remove-sockets.ts";

/**
 * Saves a VM. The VMM has where new blocks of a qcow2 image are in its own memory until the guest flushes, and nobody can make it write that down: the user
 * is told. An abort is minded where the guest does not stand still for nothing: before the pause, after the memory, and from then on.
 */
export async function snapshot(
  machine: Machine,
  vm: VmRecord,
  request: SnapshotRequest,
  context: OperationContext,
): Promise<SaveTimings> {
  const { host } = machine;
  const { signal } = context;
  const { directory } = request;
  signal?.throwIfAborted();
  const vmm = requireVmm(machine, vm);
  await using client = openClient(machine, vm);
  const info = await client.vm.info({ signal }).catch((error: unknown) => {
    throw fromVmm(error, `the VM ${vm.name} could not be asked what it has`);
  });
  const disks = await disksToSave(machine, vm, info);
  for (const { path, readonly, file } of disks)
    if (file !== undefined && !readonly && isNamedQcow2(path))
      context.warn(
        `${path} is a qcow2 image: what the guest has written to it and not flushed (sync) is not in the snapshot`,
      );
  const saver = {
    // A guest that somebody left paused is as good.
    pause: async () => {
      if (info.state !== "Paused") await pause(machine, vm, vmm, client);
    },
    saveGuest: () => client.vm.snapshot({ destination_url: `file://${directory}` }),
    resume: () => resume(machine, vm, client),
    finish: async () => {
      await plain(machine, directory);
      return [configName, stateName, memoryName];
    },
    clearUp: async () => {
      await removeSockets(machine, vm);
      await host.files.remove(restoreDir(machine.paths(vm)));
    },
  };
  return await saveVm(machine, { vm, disks, saver }, request, context).catch((error: unknown) => {
    throw told(vm, error);
  });
}

/** What the VMM wrote of a guest on mapped memory names another snapshot's file. */
async function plain({ host }: Machine, directory: string): Promise<void> {
  const config = await host.files.readText(join(directory, configName));
  if (!config.includes('"zones"')) return;
  const state = await host.files.readText(join(directory, stateName));
  const texts = formatDocuments(makePlain(parseDocuments({ config, state })));
  await host.files.writeAtomic(join(directory, configName), texts.config, { mode: 0o600 });
  await host.files.writeAtomic(join(directory, stateName), texts.state, { mode: 0o600 });
}

function told(vm: VmRecord, error: unknown): unknown {
  const what = `the VM ${vm.name} could not be saved`;
  if (isOnDemandRestoreInProgress(error))
    return new SilkError(`${what}: it is still reading the memory that it was restored with`, {
      code: "MEMORY_STILL_LOADING",
      kind: "unavailable",
      hint: "Try again in some seconds.",
      details: { id: vm.id },
      cause: error,
    });
  if (/GetNestedState/.test((error as Error).message))
    return snapshotUnsupported(
      `${what}: this host's KVM does not tell the state of nested guests`,
      {
        hint: "It is KVM itself that lacks it: use another kernel.",
        cause: error,
      },
    );
  return fromVmm(error, what);
}

import { ChApiError, vmmArgs, waitForState } from "@silkvm/ch-client";
import {
  type Disk,
  type LoadRequest,
  type OperationContext,
  type SnapshotManifest,
  stopwatch,
  VmmEnded,
  type VmRecord,
  type VmRuntime,
} from "@silkvm/core";
import type { CheckedSnapshot } from "./check-snapshot.ts";
import { openClient, openWaitingClient } from "./client.ts";
import { cowObstacle } from "./cow-rewrite.ts";
import { toDiskConfig } from "./disk-config.ts";
import { launch } from "./launch.ts";
import { lacksCpuFeatures, stoodInItsOwnWay, withChain } from "./launch-failure.ts";
import { type LaunchedVmm, launchVmm } from "./launch-vmm.ts";
import type { Machine } from "./machine.ts";
import { type RestoreFiles, writeDocuments } from "./restore-files.ts";
import {
  chooseMode,
  cowHostObstacle,
  insteadOf,
  type ModeChoice,
  modeUnavailable,
} from "./restore-mode.ts";
import { objectsAt } from "./snapshot-documents.ts";
import { configName } from "./snapshot-names.ts";
import { toNetConfig } from "./vm-config.ts";
import { meaningful } from "./vmm-log.ts";
import { vmmOptions } from "./vmm-processes.ts";

/** How long the VMM took: until its API answered, until the guest was there, and until it ran. */
export interface LoadTimes {
  launchMs: number;
  restoreMs: number;
  resumeMs: number;
}

const gib = 1024 ** 3;
/** How long the VMM may take to read a guest's memory from a slow disk. */
const readMsPerGib = 60_000;

/** A VM that is to come up from files that are in their places. */
export interface Load {
  readonly manifest: SnapshotManifest;
  readonly files: RestoreFiles;
  readonly choice: ModeChoice;
  readonly strict: boolean;
  /** Whether the guest gets NICs of its own in the place of the snapshot's. */
  readonly swapNics: boolean;
  /** Disks that the snapshot has not. */
  readonly moreDisks: readonly Disk[];
}

/** Chooses how the guest gets its memory back, and tells the user where that is not what was asked for. */
export function chooseFor(
  { host }: Machine,
  { documents, memorySizeBytes, vmmMajor }: CheckedSnapshot,
  { mode: requested, strict }: LoadRequest,
  purpose: "clone" | "restore",
  { warn }: OperationContext,
): ModeChoice {
  const choice = chooseMode({
    requested,
    strict,
    purpose,
    cowObstacle:
      cowHostObstacle(vmmMajor, host.facts.arch) ?? cowObstacle(documents, memorySizeBytes),
  });
  if (choice.isSubstitute) tellSubstitute(choice, warn);
  return choice;
}

/** Launches a VMM that restores the guest, and lets it run. Where it throws nothing of the VM runs. */
export async function load(
  machine: Machine,
  vm: VmRecord,
  request: Load,
  context: OperationContext,
): Promise<{ readonly runtime: VmRuntime; readonly times: Readonly<LoadTimes> }> {
  const { signal, warn } = context;
  const { manifest, files } = request;
  let { choice } = request;
  const times: LoadTimes = { launchMs: 0, restoreMs: 0, resumeMs: 0 };
  const what = `the VM ${vm.name} could not be restored`;
  const runtime = await launch(machine, vm, { what, signal }, async (program) => {
    try {
      return await launchOnce(machine, vm, { ...request, program, choice, times }, context);
    } catch (error) {
      const why = refusalOf(error);
      if (choice.used === "copy" || why === undefined) throw error;
      const { requested } = choice;
      if (request.strict && requested !== "auto") throw modeUnavailable(requested, why, error);
      choice = insteadOf(choice, why);
      if (choice.isSubstitute) tellSubstitute(choice, warn);
      await writeDocuments(machine.host, { ...files, used: choice.used });
      return await launchOnce(machine, vm, { ...request, program, choice, times }, context);
    }
  });
  // Only a VM whose memory is mapped needs the files any more.
  if (choice.used !== "cow")
    await machine.host.files.remove(files.directory).catch((error: unknown) => {
      machine.logger.debug(`${files.directory} is left: ${(error as Error).message}`);
    });
  const { requested, used, reason, limits } = choice;
  const memory = { snapshotId: manifest.id, requested, used, reason, limits };
  return { runtime: { ...runtime, memory }, times };
}

async function launchOnce(
  machine: Machine,
  vm: VmRecord,
  once: Load & { readonly program: string; readonly times: LoadTimes },
  { signal, progress }: OperationContext,
): Promise<VmRuntime> {
  progress("starting the VMM");
  const took = stopwatch(machine.host);
  const readMs = Math.ceil(vm.config.memoryBytes / gib) * readMsPerGib;
  return await launchVmm(
    machine,
    vm,
    {
      program: once.program,
      args: vmmArgs(vmmOptions(machine.paths(vm))),
      timeoutMs: machine.settings.startTimeoutMs + readMs,
      failure: "the VMM could not restore the guest",
      bringUp: async (vmm) => {
        once.times.launchMs = took();
        progress("restoring the guest");
        await bringUp(machine, vm, once, vmm);
      },
    },
    { signal },
  );
}

async function bringUp(
  machine: Machine,
  vm: VmRecord,
  request: Load & { readonly times: LoadTimes },
  { wait }: LaunchedVmm,
): Promise<void> {
  const { choice, files, times } = request;
  await using client = openClient(machine, vm);
  const restoring = stopwatch(machine.host);
  await client.vm.restore(
    {
      source_url: `file://${files.directory}`,
      ...(choice.used === "ondemand" ? { memory_restore_mode: "OnDemand" } : {}),
    },
    wait(),
  );
  times.restoreMs = restoring();
  const resuming = stopwatch(machine.host);
  if (request.swapNics) {
    // The guest lets go of its old NICs as soon as it runs, and meets the new ones.
    for (const { id } of objectsAt(files.checked.documents.config, "net", configName))
      await client.vm.removeDevice({ id: String(id) }, wait());
    for (const nic of vm.nics)
      await client.vm.addNet(toNetConfig(nic, vm.config.netQueueSize), wait());
  }
  for (const disk of request.moreDisks)
    await client.vm.addDisk(toDiskConfig(disk, vm.config), wait());
  await client.vm.resume(wait());
  await using waiting = openWaitingClient(machine, vm);
  await machine.host.effect("GET vm.info", () => waitForState(waiting, "Running", wait()));
  times.resumeMs = resuming();
}

/** Why the VMM, as far as it said so, did not take a snapshot; undefined where something else went wrong, or another mode is of no use. */
function refusalOf(error: unknown): string | undefined {
  if (!(error instanceof VmmEnded)) return undefined;
  const failed = withChain(error.evidence);
  if (stoodInItsOwnWay(failed) || lacksCpuFeatures(failed)) return undefined;
  const { cause, chain } = failed;
  if (!ChApiError.is(cause) || cause.operation !== "vm.restore") return undefined;
  return meaningful(chain).join(": ");
}

function tellSubstitute(
  { requested, used, reason }: ModeChoice,
  warn: OperationContext["warn"],
): void {
  warn(`the memory is restored by "${used}" instead of "${requested}": ${reason}`);
}

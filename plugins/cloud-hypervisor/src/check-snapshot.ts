import { join } from "node:path";
import type { OperationContext, SnapshotManifest, SnapshotSource } from "@silkvm/core";
import {
  checkArch,
  checkOverlays,
  damagedSnapshot,
  snapshotUnsupported,
  verifyExternals,
  verifyFiles,
} from "@silkvm/storage";
import { checkCpu } from "./check-cpu.ts";
import { checkAllowed } from "./config-allowed.ts";
import { checkAgrees } from "./config-agrees.ts";
import type { Machine } from "./machine.ts";
import { checkLayout, readMemoryState, sumOf } from "./memory-state.ts";
import { vmmVersion } from "./probe.ts";
import { parseDocuments, type SnapshotDocuments } from "./snapshot-documents.ts";
import { configName, memoryName, stateName } from "./snapshot-names.ts";
import { majorVersion } from "./version.ts";

/** A snapshot that can be used on this host, as far as that can be told without using it. */
export interface CheckedSnapshot {
  readonly documents: SnapshotDocuments;
  readonly memorySizeBytes: number;
  /** The major version of the VMM that is to use it; undefined where it does not tell. */
  readonly vmmMajor: number | undefined;
}

/**
 * Checks a snapshot: its files, what it needs besides, that all of it is of one VM, and that the VMM is told of nothing but what silk sets.
 * @throws SilkError `SNAPSHOT_DAMAGED`, `SNAPSHOT_UNSUPPORTED`, `SNAPSHOT_CPU_MISMATCH`, and those of `verifyExternals`
 */
export async function checkSnapshot(
  machine: Machine,
  source: SnapshotSource,
  { signal, warn }: OperationContext,
): Promise<CheckedSnapshot> {
  const { host } = machine;
  const { directory, manifest, checkContent: content } = source;
  const sizes = new Map(manifest.files.map(({ name, sizeBytes }) => [name, sizeBytes]));
  for (const name of [configName, stateName, memoryName]) {
    if (!sizes.has(name)) throw damagedSnapshot(name, "is not among its files");
    if (manifest.vm.disks.some(({ file }) => file === name))
      throw damagedSnapshot(name, "is said to be a disk");
  }
  const externals = source.checkExternals ? manifest.externals : [];
  const [version] = await Promise.all([
    vmmVersion(machine, { signal }),
    verifyFiles(host, directory, manifest.files, { content, signal }),
    verifyExternals(host, externals, { content, signal }),
  ]);
  const documents = parseDocuments({
    config: await host.files.readText(join(directory, configName)),
    state: await host.files.readText(join(directory, stateName)),
  });
  checkAllowed(documents.config);
  checkAgrees(documents.config, manifest, source.moved);
  const memorySizeBytes = sizes.get(memoryName) as number;
  const memoryState = readMemoryState(documents.state);
  checkLayout(memoryState);
  // The VMM restores from a file that is too short without a word.
  const ramBytes = sumOf(memoryState.ranges);
  if (ramBytes !== BigInt(memorySizeBytes))
    throw damagedSnapshot(
      memoryName,
      `has ${memorySizeBytes} bytes, and ${stateName} tells of ${ramBytes}`,
    );
  await checkOverlays(host, source);
  checkArch(host, manifest);
  const vmmMajor = checkVmm(version, manifest, warn);
  // What is only taken in may be meant for another host.
  if (source.checkExternals) checkCpu(host, documents, manifest, vmmMajor);
  return { documents, memorySizeBytes, vmmMajor };
}

function checkVmm(
  version: string,
  { host: { vmmVersion: savedBy } }: SnapshotManifest,
  warn: OperationContext["warn"],
): number | undefined {
  const [here, there] = [majorVersion(version), majorVersion(savedBy)];
  if (here === undefined || there === undefined || here === there) return here;
  if (there > here)
    throw snapshotUnsupported(
      `the snapshot was made with cloud-hypervisor ${savedBy}, and this one is the older ${version}`,
      { hint: "Install a cloud-hypervisor that is at least as new." },
    );
  warn(`the snapshot was made with cloud-hypervisor ${savedBy}, and this one is ${version}`);
  return here;
}

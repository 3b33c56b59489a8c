import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { chSimEnv, type ChSimOptions } from "@silkvm/ch-sim";
import {
  type Hypervisor,
  type LoadRequest,
  type OperationContext,
  type SavedSnapshot,
  type SaveTimings,
  type SnapshotManifest,
  type SnapshotRequest,
  type SnapshotSource,
  type VmRecord,
  checkManifest,
} from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import type { Bench } from "./bench-vm.ts";
import { quiet } from "./bench-vm.ts";
import { makeScript, simulatedVmm } from "./vmms.ts";

/** A snapshot that a test has taken. */
export interface TakenSnapshot {
  readonly source: SnapshotSource;
  readonly timings: SaveTimings;
}

let numberOfSnapshots = 0;

/** Saves a VM as the engine has it done, but for the store. */
export async function take(
  bench: Bench,
  backend: Hypervisor,
  vm: VmRecord,
  options: {
    readonly afterwards?: SnapshotRequest["afterwards"];
    readonly context?: OperationContext;
    readonly beforePublished?: () => Promise<void>;
  } = {},
): Promise<TakenSnapshot> {
  const directory = join(bench.dir, `snapshot-${++numberOfSnapshots}`);
  await mkdir(directory);
  let manifest: SnapshotManifest | undefined;
  const timings = await backend.snapshot(
    vm,
    {
      directory,
      afterwards: options.afterwards ?? "resume",
      publish: async (saved) => {
        await options.beforePublished?.();
        manifest = manifestOf(vm, saved);
      },
    },
    options.context ?? quiet(),
  );
  if (manifest === undefined) throw new Error("the snapshot was not published");
  return { source: { directory, manifest, checkContent: true, checkExternals: true }, timings };
}

function manifestOf(vm: VmRecord, saved: SavedSnapshot): SnapshotManifest {
  const { id, name, config, boot, nics, labels, imageBlobIds, firstBooted } = vm;
  const manifest = {
    format: "silk-snapshot",
    version: 1,
    id: `snap${numberOfSnapshots}`,
    name: `snap${numberOfSnapshots}`,
    description: "",
    createdAt: saved.pausedAt,
    backend: vm.backend,
    host: { arch: linuxHost().facts.arch, vmmVersion: saved.vmmVersion },
    vm: { id, name, config, boot, disks: saved.disks, nics, labels, imageBlobIds, firstBooted },
    externals: saved.externals,
    files: saved.files,
  };
  return checkManifest(manifest, "the manifest");
}

/** Makes a clone as the engine has it done, and gives its record. */
export async function makeClone(
  bench: Bench,
  backend: Hypervisor,
  { source }: TakenSnapshot,
  wanted: Partial<LoadRequest> & {
    readonly id: string;
    readonly context?: OperationContext;
    readonly nics?: VmRecord["nics"];
  },
): Promise<VmRecord> {
  const { id, context = quiet(), nics = [], mode = "auto", strict = false } = wanted;
  const { config, boot } = source.manifest.vm;
  const disks = backend.cloneDisks({ id }, source.manifest);
  const vm = await bench.vm({ id, name: id, config, boot, disks, nics, firstBooted: true });
  const { runtime } = await backend.clone(vm, { source, mode, strict }, context);
  return { ...vm, state: "running", runtime };
}

/** A simulated VMM that behaves in some way. */
export async function simulatedAs(bench: Bench, options: ChSimOptions): Promise<string> {
  const program = await simulatedVmm.program(bench.dir);
  const env = Object.entries(chSimEnv(options)).map(([name, value]) => `export ${name}='${value}'`);
  const path = join(bench.dir, `ch-sim-${Math.random().toString(36).slice(2)}`);
  return await makeScript(path, [...env, `exec '${program}' "$@"`].join("\n"));
}

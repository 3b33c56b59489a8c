import { join } from "node:path";
import {
  type AdoptRequest,
  type Engine,
  type Host,
  readManifest,
  SilkError,
  type SnapshotLease,
  type SnapshotManifest,
  type SnapshotView,
} from "@silkvm/core";

/** The part of an engine that has to do with snapshots, as far as archives need it: directories below one, by their names. */
export interface Shelf extends Pick<Engine, "host" | "snapshots"> {
  /** Leases that are out. */
  readonly held: () => number;
  readonly directoryOf: (name: string) => string;
}

export function shelf(host: Host, directory: string): Shelf {
  let held = 0;
  const directoryOf = (name: string): string => join(directory, name);
  const open = async (name: string): Promise<SnapshotLease> => {
    const manifest = await readManifest(host, directoryOf(name));
    held += 1;
    return {
      directory: directoryOf(name),
      manifest,
      [Symbol.asyncDispose]: async () => {
        held -= 1;
      },
    };
  };
  const adopt = async (request: AdoptRequest): Promise<SnapshotView> => {
    const partial = directoryOf(".arriving");
    await host.files.mkdir(partial, { mode: 0o700 });
    try {
      const manifest = await request.fill(partial, undefined);
      const name = request.name ?? manifest.name;
      await host.files.rename(partial, directoryOf(name));
      return toView({ ...manifest, name });
    } finally {
      await host.files.remove(partial);
    }
  };
  const never = (): never => {
    throw new SilkError("not a part of this test", { code: "INTERNAL", kind: "internal" });
  };
  return {
    host,
    held: () => held,
    directoryOf,
    snapshots: { open, adopt, save: never, list: never, inspect: never, delete: never },
  };
}

function toView(manifest: SnapshotManifest): SnapshotView {
  const { id, name, description, createdAt, backend, vm, files } = manifest;
  return {
    id,
    name,
    description,
    createdAt,
    backend,
    vmId: vm.id,
    vmName: vm.name,
    cpus: vm.config.cpus,
    memoryBytes: vm.config.memoryBytes,
    nics: vm.nics.length,
    sizeBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    parentId: null,
    imported: true,
  };
}

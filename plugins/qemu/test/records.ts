import { join } from "node:path";
import type { VmConfig, VmPaths, VmRecord } from "@silkvm/core";

const mib = 1024 * 1024;

const smallConfig: VmConfig = {
  cpus: 1,
  memoryBytes: 64 * mib,
  storageBytes: 0,
  netQueueSize: 0,
  diskQueueSize: 0,
  noDirectIo: false,
  windows: false,
  sharedMemory: false,
  hugepages: false,
};

type Changes<T> = Partial<Omit<T, "config">> & { readonly config?: Partial<VmConfig> };

/** A record of a VM without disks that boots `/k`, changed. */
export function vmRecord({ config, ...rest }: Changes<VmRecord> = {}): VmRecord {
  return {
    seq: 1,
    id: "vm1",
    name: "web",
    backend: "qemu",
    state: "created",
    config: { ...smallConfig, ...config },
    boot: { kind: "direct", kernelPath: "/k", cmdline: "console=hvc0" },
    disks: [],
    nics: [],
    labels: {},
    imageBlobIds: [],
    snapshotIds: [],
    firstBooted: false,
    createdAt: "2026-01-01T00:00:00.000Z",
    updatedAt: "2026-01-01T00:00:00.000Z",
    ...rest,
  };
}

/** Paths as the engine lays them out under one directory. */
export function pathsIn(dir: string): (vm: { readonly id: string }) => VmPaths {
  return ({ id }) => {
    const runDir = join(dir, "run", id);
    return {
      dataDir: join(dir, "vms", id),
      runDir,
      logPath: join(dir, `${id}.log`),
      apiSocketPath: join(runDir, "api.sock"),
      consoleSocketPath: join(runDir, "console.sock"),
    };
  };
}

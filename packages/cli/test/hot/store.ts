import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import {
  createEngine,
  type ProcessIdentity,
  type VmProblem,
  type VmRecord,
  type VmState,
} from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";

/** What a test says of a VM; the rest is the same in all. */
export interface VmRow {
  readonly id: string;
  readonly name: string;
  readonly state: VmState;
  readonly backend: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly storageBytes: number;
  readonly nics: number;
  readonly image: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly running?: { readonly startedAt: string; readonly vmm: ProcessIdentity } | undefined;
  readonly problem?: VmProblem | undefined;
}

/** A store as the engine makes it, with no VM in it. */
export async function makeStore(rootDir: string): Promise<void> {
  const places = { rootDir, runDir: join(rootDir, "run"), logDir: join(rootDir, "log") };
  await using engine = await createEngine({ host: linuxHost(), plugins: [], config: places });
  await engine.gc();
}

export function storePath(rootDir: string): string {
  return join(rootDir, "silk.db");
}

/**
 * Puts VMs into a store past the engine, which would need a VMM for some of them.
 * @param step between the numbers of two VMs: those of VMs that are gone are not used again
 */
export function addVms(database: DatabaseSync, rows: readonly VmRow[], step = 1): void {
  const addVm = database.prepare(`INSERT INTO vms VALUES (${Array(18).fill("?").join()})`);
  const addRecord = database.prepare("INSERT INTO vm_records VALUES (?, ?)");
  database.exec("BEGIN");
  for (const [index, row] of rows.entries()) {
    const vm = toRecord(row, index * step + 1);
    addVm.run(
      vm.seq,
      vm.id,
      vm.name,
      vm.backend,
      vm.state,
      vm.config.cpus,
      vm.config.memoryBytes,
      vm.config.storageBytes,
      vm.config.image ?? null,
      JSON.stringify(vm.labels),
      vm.createdAt,
      vm.runtime?.startedAt ?? null,
      vm.runtime?.vmm.bootId ?? null,
      vm.runtime?.vmm.pid ?? null,
      vm.runtime?.vmm.startTime ?? null,
      vm.problem === undefined ? null : JSON.stringify(vm.problem),
      vm.nics.length,
      vm.exitCode ?? null,
    );
    addRecord.run(vm.seq, JSON.stringify(vm));
  }
  database.exec("COMMIT");
}

function toRecord(row: VmRow, seq: number): VmRecord {
  const { running, problem, cpus, memoryBytes, storageBytes, nics, image, ...rest } = row;
  return {
    ...rest,
    seq,
    config: {
      cpus,
      memoryBytes,
      storageBytes,
      netQueueSize: 0,
      diskQueueSize: 0,
      noDirectIo: false,
      windows: false,
      sharedMemory: false,
      hugepages: false,
      ...(image === null ? {} : { image }),
    },
    boot: { kind: "direct", kernelPath: "/boot/vmlinux", cmdline: "" },
    disks: [],
    nics: Array.from({ length: nics }, (_, index) => ({
      tap: `tap${index}`,
      mac: "02:00:00:00:00:01",
      queues: 2,
      queueSize: 512,
      provider: "bridge",
    })),
    imageBlobIds: [],
    snapshotIds: [],
    firstBooted: running !== undefined,
    updatedAt: row.createdAt,
    ...(problem === undefined ? {} : { problem }),
    ...(running === undefined
      ? {}
      : {
          runtime: {
            vmm: running.vmm,
            vmmVersion: "v53.0",
            apiSocketPath: `/run/silk/${row.id}/api.sock`,
            startedAt: running.startedAt,
          },
        }),
  };
}

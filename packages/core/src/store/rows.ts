import type { ProcessIdentity, SqlValue } from "../host.ts";
import type { VmProblem, VmRecord, VmState } from "../vm/record.ts";

/** What a list shows of a VM. */
export interface VmSummary {
  readonly id: string;
  readonly name: string;
  readonly state: VmState;
  readonly backend: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly storageBytes: number;
  /** How many NICs it has. */
  readonly nics: number;
  readonly image: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** ISO 8601. */
  readonly createdAt: string;
  /** ISO 8601; of the last start while it runs. */
  readonly startedAt: string | null;
  /** Of the VMM, while it runs. */
  readonly pid: number | null;
  readonly problem: VmProblem | null;
  /** How the program of a container's VM has ended: 0 to 255. */
  readonly exitCode: number | null;
}

/** A summary, and what is needed to find out whether it is still true. */
export interface SummaryRow {
  readonly seq: number;
  readonly summary: VmSummary;
  readonly vmm: ProcessIdentity | undefined;
}

type Row = Record<string, SqlValue>;

export function toSummaryRow(row: Row): SummaryRow {
  const vmm =
    row["vmm_pid"] === null
      ? undefined
      : {
          bootId: row["vmm_boot_id"] as string,
          pid: row["vmm_pid"] as number,
          startTime: row["vmm_start_time"] as number,
        };
  return {
    seq: row["seq"] as number,
    vmm,
    summary: {
      id: row["id"] as string,
      name: row["name"] as string,
      state: row["state"] as VmState,
      backend: row["backend"] as string,
      cpus: row["cpus"] as number,
      memoryBytes: row["memory_bytes"] as number,
      storageBytes: row["storage_bytes"] as number,
      nics: row["nics"] as number,
      image: row["image"] as string | null,
      labels: JSON.parse(row["labels"] as string) as Record<string, string>,
      createdAt: row["created_at"] as string,
      startedAt: row["started_at"] as string | null,
      pid: row["vmm_pid"] as number | null,
      problem: row["problem"] === null ? null : (JSON.parse(row["problem"] as string) as VmProblem),
      exitCode: row["exit_code"] as number | null,
    },
  };
}

/** The values of `vms` in the order of {@link vmColumns}. */
export function toVmValues(vm: VmRecord): SqlValue[] {
  return [
    vm.seq,
    vm.id,
    vm.name,
    vm.backend,
    vm.state,
    vm.config.cpus,
    vm.config.memoryBytes,
    vm.config.storageBytes,
    vm.nics.length,
    vm.config.image ?? null,
    JSON.stringify(vm.labels),
    vm.createdAt,
    vm.runtime?.startedAt ?? null,
    vm.runtime?.vmm.bootId ?? null,
    vm.runtime?.vmm.pid ?? null,
    vm.runtime?.vmm.startTime ?? null,
    vm.problem === undefined ? null : JSON.stringify(vm.problem),
    vm.exitCode ?? null,
  ];
}

export const vmColumns: readonly string[] = [
  "seq",
  "id",
  "name",
  "backend",
  "state",
  "cpus",
  "memory_bytes",
  "storage_bytes",
  "nics",
  "image",
  "labels",
  "created_at",
  "started_at",
  "vmm_boot_id",
  "vmm_pid",
  "vmm_start_time",
  "problem",
  "exit_code",
];

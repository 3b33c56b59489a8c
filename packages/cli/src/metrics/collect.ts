import type { EventTotal, SnapshotView, VmSummary } from "@silkvm/core";
import type { Metric, Sample } from "./prometheus.ts";

/** What the metrics are made of. */
export interface Facts {
  readonly version: string;
  readonly vms: readonly VmSummary[];
  readonly snapshots: readonly SnapshotView[];
  readonly totals: readonly EventTotal[];
}

/** Events that are the end of an operation, and what that is called. */
const operations: ReadonlyMap<EventTotal["type"], string> = new Map([
  ["vm.created", "create"],
  ["vm.started", "start"],
  ["vm.stopped", "stop"],
  ["vm.deleted", "delete"],
  ["vm.cloned", "clone"],
  ["vm.restored", "restore"],
  ["vm.hibernated", "hibernate"],
  ["vm.woken", "wake"],
  ["snapshot.saved", "save"],
  ["snapshot.imported", "import"],
  ["snapshot.deleted", "delete-snapshot"],
  ["device.attached", "attach"],
  ["device.detached", "detach"],
]);

/** The metrics of silk. Their names and labels are stable. */
export function collectMetrics({ version, vms, snapshots, totals }: Facts): readonly Metric[] {
  const byState = Map.groupBy(vms, ({ backend, state }) => JSON.stringify({ backend, state }));
  const bySource = Map.groupBy(snapshots, ({ backend }) => JSON.stringify({ backend }));
  return [
    gauge("silk_info", "The version of silk.", [{ labels: { version }, value: 1 }]),
    gauge("silk_vms", "VMs, by their backend and their state.", count(byState)),
    gauge(
      "silk_vm_cpus",
      "Virtual CPUs of the VMs, by their backend and their state.",
      sum(byState, ({ cpus }) => cpus),
    ),
    gauge(
      "silk_vm_memory_bytes",
      "Memory that the VMs were given, by their backend and their state.",
      sum(byState, ({ memoryBytes }) => memoryBytes),
    ),
    gauge(
      "silk_vm_storage_bytes",
      "Size of the VMs' own disks as their guests see it, by their backend and their state.",
      sum(byState, ({ storageBytes }) => storageBytes),
    ),
    gauge("silk_snapshots", "Snapshots, by the backend of their VM.", count(bySource)),
    gauge(
      "silk_snapshot_bytes",
      "Size of the snapshots' files, holes included, by the backend of their VM.",
      sum(bySource, ({ sizeBytes }) => sizeBytes),
    ),
    {
      name: "silk_events_total",
      help: "Events since the store was made, by their type.",
      type: "counter",
      samples: totals.map(({ type, count: value }) => ({ labels: { type }, value })),
    },
    {
      name: "silk_operations_total",
      help: "Operations that have succeeded since the store was made.",
      type: "counter",
      samples: totals.flatMap(({ type, count: value }) => {
        const operation = operations.get(type);
        return operation === undefined ? [] : [{ labels: { operation }, value }];
      }),
    },
    {
      name: "silk_operation_duration_seconds",
      help: "How long operations that have succeeded took since the store was made.",
      type: "histogram",
      samples: totals.flatMap(durations),
    },
  ];
}

function gauge(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name, help, type: "gauge", samples };
}

/** The keys of the groups are their labels. */
function sum<T>(
  groups: ReadonlyMap<string, readonly T[]>,
  valueOf: (one: T) => number,
): readonly Sample[] {
  return [...groups]
    .map(([labels, members]) => ({
      labels: JSON.parse(labels) as Record<string, string>,
      value: members.reduce((total, member) => total + valueOf(member), 0),
    }))
    .sort((a, b) => (JSON.stringify(a.labels) < JSON.stringify(b.labels) ? -1 : 1));
}

function count<T>(groups: ReadonlyMap<string, readonly T[]>): readonly Sample[] {
  return sum(groups, () => 1);
}

function durations({ type, durations: told }: EventTotal): Metric["samples"] {
  const operation = operations.get(type);
  if (operation === undefined || told === undefined) return [];
  const labels = { operation };
  return [
    ...told.buckets.map(({ leMs, count: value }) => ({
      suffix: "_bucket",
      labels: { ...labels, le: String(leMs / 1_000) },
      value,
    })),
    { suffix: "_bucket", labels: { ...labels, le: "+Inf" }, value: told.count },
    { suffix: "_sum", labels, value: told.sumMs / 1_000 },
    { suffix: "_count", labels, value: told.count },
  ];
}

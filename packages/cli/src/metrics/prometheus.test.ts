import { expect, it } from "vitest";
import { collectMetrics } from "./collect.ts";
import { renderMetrics } from "./prometheus.ts";

const vm = { cpus: 2, memoryBytes: 1024, storageBytes: 10 };

it("renders HELP, TYPE and the samples of each metric, and leaves out what has none", () => {
  const text = renderMetrics(
    collectMetrics({
      version: "1.2.3",
      vms: [
        { ...vm, backend: "fast", state: "running" },
        { ...vm, backend: "fast", state: "running" },
        { ...vm, backend: "fast", state: "error" },
      ] as never,
      snapshots: [],
      totals: [
        { type: "vm.exited", count: 1 },
        {
          type: "vm.started",
          count: 3,
          durations: {
            count: 3,
            sumMs: 1_250,
            buckets: [
              { leMs: 10, count: 0 },
              { leMs: 1_000, count: 2 },
            ],
          },
        },
      ],
    }),
  );
  expect(text).toBe(`# HELP silk_info The version of silk.
# TYPE silk_info gauge
silk_info{version="1.2.3"} 1
# HELP silk_vms VMs, by their backend and their state.
# TYPE silk_vms gauge
silk_vms{backend="fast",state="error"} 1
silk_vms{backend="fast",state="running"} 2
# HELP silk_vm_cpus Virtual CPUs of the VMs, by their backend and their state.
# TYPE silk_vm_cpus gauge
silk_vm_cpus{backend="fast",state="error"} 2
silk_vm_cpus{backend="fast",state="running"} 4
# HELP silk_vm_memory_bytes Memory that the VMs were given, by their backend and their state.
# TYPE silk_vm_memory_bytes gauge
silk_vm_memory_bytes{backend="fast",state="error"} 1024
silk_vm_memory_bytes{backend="fast",state="running"} 2048
# HELP silk_vm_storage_bytes Size of the VMs' own disks as their guests see it, by their backend and their state.
# TYPE silk_vm_storage_bytes gauge
silk_vm_storage_bytes{backend="fast",state="error"} 10
silk_vm_storage_bytes{backend="fast",state="running"} 20
# HELP silk_events_total Events since the store was made, by their type.
# TYPE silk_events_total counter
silk_events_total{type="vm.exited"} 1
silk_events_total{type="vm.started"} 3
# HELP silk_operations_total Operations that have succeeded since the store was made.
# TYPE silk_operations_total counter
silk_operations_total{operation="start"} 3
# HELP silk_operation_duration_seconds How long operations that have succeeded took since the store was made.
# TYPE silk_operation_duration_seconds histogram
silk_operation_duration_seconds_bucket{operation="start",le="0.01"} 0
silk_operation_duration_seconds_bucket{operation="start",le="1"} 2
silk_operation_duration_seconds_bucket{operation="start",le="+Inf"} 3
silk_operation_duration_seconds_sum{operation="start"} 1.25
silk_operation_duration_seconds_count{operation="start"} 3
`);
});

it("escapes what would end a label or a line", () => {
  const labels = { a: 'say "hi"\\', b: "two\nlines" };
  expect(
    renderMetrics([
      {
        name: "silk_x",
        help: "a \\ and\na line",
        type: "gauge",
        samples: [{ labels, value: 0.5 }],
      },
    ]),
  ).toBe(
    '# HELP silk_x a \\\\ and\\na line\n# TYPE silk_x gauge\nsilk_x{a="say \\"hi\\"\\\\",b="two\\nlines"} 0.5\n',
  );
});

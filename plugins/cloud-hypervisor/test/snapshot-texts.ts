import { parseJson, stringifyJson } from "@silkvm/ch-client";
import { parseDocuments, type SnapshotDocuments } from "../src/snapshot-documents.ts";

const gib = 1024 ** 3;

/** A number that no double holds. */
export const hugeNumber = "18446744073709551615";

/** What a test wants to be different in a snapshot. */
export interface SnapshotShape {
  /** Of the guest's memory: where it starts, and how long it is. Default: 1 GiB at 0. */
  readonly ranges?: readonly (readonly [gpa: number, length: number])[];
  /** In config.json's `memory`. */
  readonly memory?: Readonly<Record<string, unknown>>;
  /** In config.json itself. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** In each of `guest_ram_mappings`. */
  readonly mapping?: Readonly<Record<string, unknown>>;
}

/** config.json and state.json as the VMM writes them of a guest with one writable disk and one NIC. */
export function snapshotTexts(shape: SnapshotShape = {}): { config: string; state: string } {
  const { ranges = [[0, gib]] } = shape;
  const size = ranges.reduce((sum, [, length]) => sum + length, 0);
  const memory = {
    size,
    mergeable: false,
    hotplug_method: "Acpi",
    shared: false,
    hugepages: false,
    prefault: false,
    reserve: false,
    thp: true,
    ...shape.memory,
  };
  const config = {
    cpus: { boot_vcpus: 1, max_vcpus: 2, core_scheduling: "Vm", profile: "Host" },
    memory,
    payload: { kernel: "/k", cmdline: "console=hvc0", initramfs: "/i" },
    disks: [
      {
        id: "_disk0",
        path: "/vms/source/cow.raw",
        readonly: false,
        vhost_user: false,
        serial: "cocoon-cow",
        image_type: "Raw",
        lock_granularity: "ByteRange",
      },
    ],
    net: [
      {
        id: "_net1",
        tap: "tap0",
        mac: "02:11:22:33:44:55",
        host_mac: "72:5c:8e:35:a3:72",
        vhost_user: false,
        vhost_mode: "Client",
      },
    ],
    rng: { pci_segment: 0, src: "/dev/urandom" },
    balloon: { size: 1, deflate_on_oom: true, free_page_reporting: true },
    serial: { mode: "Off" },
    console: { file: "/dev/pts/0", mode: "Pty", pci_segment: 0 },
    debug_console: { mode: "Off", iobase: 233 },
    pvpanic: false,
    iommu: false,
    watchdog: true,
    landlock_enable: false,
    ...shape.config,
  };
  const memoryState = {
    memory_ranges: { data: ranges.map(([gpa, length]) => ({ gpa, length })) },
    guest_ram_mappings: ranges.map(([gpa, length], slot) => ({
      slot,
      gpa,
      size: length,
      zone_id: "mem0",
      virtio_mem: false,
      file_offset: 0,
      ...shape.mapping,
    })),
    arch_mem_regions: [{ base: 4_294_967_296, size: BigInt(hugeNumber), r_type: "Ram" }],
    of_a_later_version: { kept: 1 },
  };
  const disk = { disk_path: "/vms/source/cow.raw", avail_features: BigInt(hugeNumber) };
  const leaf = (state: unknown): unknown => ({
    snapshots: {},
    snapshot_data: { state: stringifyJson(state) },
  });
  const state = {
    snapshots: {
      "cpu-manager": { snapshots: {}, snapshot_data: null },
      "device-manager": { snapshots: { _disk0: leaf(disk) }, snapshot_data: { state: "{}" } },
      "memory-manager": leaf(memoryState),
    },
    snapshot_data: { state: "{}" },
  };
  return { config: stringifyJson(config), state: stringifyJson(state) };
}

export function snapshotDocuments(shape?: SnapshotShape): SnapshotDocuments {
  return parseDocuments(snapshotTexts(shape));
}

/** What a document says of the guest's memory, as the VMM reads it. */
export function memoryPartOf(state: string): {
  readonly memory_ranges: { readonly data: readonly unknown[] };
  readonly guest_ram_mappings: readonly {
    readonly gpa: number;
    readonly size: number;
    readonly zone_id: string;
    readonly file_offset: number;
  }[];
} {
  const { snapshots } = parseJson(state) as {
    snapshots: { "memory-manager": { snapshot_data: { state: string } } };
  };
  return parseJson(snapshots["memory-manager"].snapshot_data.state) as never;
}

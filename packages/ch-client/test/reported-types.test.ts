import { describe, expect, it } from "vitest";
import { parseJson } from "../src/index.ts";
import type * as ch from "../src/index.ts";
import { vmInfoAnswers } from "./support/fixtures.ts";
import { schemaFields } from "./support/schema-fields.ts";

type RequiredKeys<T> = { [K in keyof T]-?: undefined extends T[K] ? never : K }[keyof T];

/** The fields that a type promises to be there, kept complete by the compiler. */
type Promised<T> = { readonly [K in RequiredKeys<T>]: true };

/** Which fields of an answer our types promise, by place in the answer, and the schema that names all fields that may be there. */
const places: Readonly<
  Record<string, { readonly schema: string; readonly promised: Readonly<Record<string, true>> }>
> = {
  "": {
    schema: "VmInfo",
    promised: { config: true, state: true, memory_actual_size: true } satisfies Promised<ch.VmInfo>,
  },
  config: {
    schema: "VmConfig",
    promised: {
      cpus: true,
      memory: true,
      rng: true,
      serial: true,
      console: true,
      iommu: true,
      watchdog: true,
      pvpanic: true,
      landlock_enable: true,
    } satisfies Promised<ch.ReportedVmConfig>,
  },
  "config.cpus": {
    schema: "CpusConfig",
    promised: {
      boot_vcpus: true,
      max_vcpus: true,
      kvm_hyperv: true,
      max_phys_bits: true,
      features: true,
      nested: true,
      core_scheduling: true,
      profile: true,
    } satisfies Promised<ch.ReportedCpusConfig>,
  },
  "config.memory": {
    schema: "MemoryConfig",
    promised: {
      size: true,
      mergeable: true,
      hotplug_method: true,
      shared: true,
      hugepages: true,
      prefault: true,
      reserve: true,
      thp: true,
    } satisfies Promised<ch.ReportedMemoryConfig>,
  },
  "config.payload": { schema: "PayloadConfig", promised: {} },
  "config.rng": {
    schema: "RngConfig",
    promised: { src: true, pci_segment: true } satisfies Promised<ch.ReportedRngConfig>,
  },
  "config.serial": {
    schema: "SerialConfig",
    promised: { mode: true } satisfies Promised<ch.SerialConfig>,
  },
  "config.console": {
    schema: "ConsoleConfig",
    promised: { mode: true, pci_segment: true } satisfies Promised<ch.ReportedConsoleConfig>,
  },
  "config.debug_console": {
    schema: "DebugConsoleConfig",
    promised: { mode: true } satisfies Promised<ch.DebugConsoleConfig>,
  },
  "config.balloon": {
    schema: "BalloonConfig",
    promised: {
      size: true,
      pci_segment: true,
      deflate_on_oom: true,
      free_page_reporting: true,
    } satisfies Promised<ch.ReportedBalloonConfig>,
  },
  "config.disks[]": {
    schema: "DiskConfig",
    promised: {
      pci_segment: true,
      readonly: true,
      direct: true,
      num_queues: true,
      queue_size: true,
      vhost_user: true,
      backing_files: true,
      sparse: true,
      image_type: true,
      lock_granularity: true,
      disable_io_uring: true,
      disable_aio: true,
    } satisfies Promised<ch.ReportedDiskConfig>,
  },
  "config.net[]": {
    schema: "NetConfig",
    promised: {
      pci_segment: true,
      mac: true,
      num_queues: true,
      queue_size: true,
      vhost_user: true,
      vhost_mode: true,
      offload_tso: true,
      offload_ufo: true,
      offload_csum: true,
    } satisfies Promised<ch.ReportedNetConfig>,
  },
  "config.fs[]": {
    schema: "FsConfig",
    promised: {
      tag: true,
      socket: true,
      pci_segment: true,
      num_queues: true,
      queue_size: true,
    } satisfies Promised<ch.ReportedFsConfig>,
  },
  "config.pmem[]": {
    schema: "PmemConfig",
    promised: {
      file: true,
      pci_segment: true,
      discard_writes: true,
    } satisfies Promised<ch.ReportedPmemConfig>,
  },
  "config.vsock": {
    schema: "VsockConfig",
    promised: {
      cid: true,
      socket: true,
      pci_segment: true,
    } satisfies Promised<ch.ReportedVsockConfig>,
  },
  "device_tree.*": {
    schema: "DeviceNode",
    promised: { id: true, resources: true, children: true } satisfies Promised<ch.DeviceNode>,
  },
};

describe("the vm.info answers that were seen from the VMM", () => {
  const found = new Map<string, Readonly<Record<string, unknown>>[]>();
  for (const answer of vmInfoAnswers) collect("", parseJson(answer), found);

  it("show every place that is checked here", () => {
    expect(vmInfoAnswers.length).toBeGreaterThan(20);
    expect(Object.keys(places).filter((place) => !found.has(place))).toEqual([]);
  });

  it.each(Object.entries(places))(
    "have at %j what our types promise, of the right kinds, and nothing unknown",
    (place, { schema, promised }) => {
      for (const value of found.get(place) ?? []) {
        expect(Object.keys(promised).filter((field) => !(field in value))).toEqual([]);
        const kinds = Object.fromEntries(
          Object.entries(value).map(([field, inner]) => [field, kindOf(inner)]),
        );
        expect(schemaFields[schema]).toMatchObject(kinds);
      }
    },
  );
});

/** All objects of a value by their place in it: `config.disks[]`. */
function collect(
  place: string,
  value: unknown,
  into: Map<string, Readonly<Record<string, unknown>>[]>,
): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(`${place}[]`, item, into);
  } else if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value);
    into.set(place, [...(into.get(place) ?? []), Object.fromEntries(entries)]);
    for (const [key, inner] of entries)
      collect(
        place === "device_tree" ? "device_tree.*" : place === "" ? key : `${place}.${key}`,
        inner,
        into,
      );
  }
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "number" || typeof value === "bigint" ? "integer" : typeof value;
}

import type { Filled } from "./common.ts";

/** How memory is added to a running VM. */
export type HotplugMethod = "Acpi" | "VirtioMem";

/** A part of the guest's memory with a backing of its own. */
export interface MemoryZoneConfig {
  readonly id: string;
  /** Bytes. */
  readonly size: number;
  readonly file?: string | undefined;
  readonly mergeable?: boolean | undefined;
  readonly shared?: boolean | undefined;
  readonly hugepages?: boolean | undefined;
  /** Bytes. */
  readonly hugepage_size?: number | undefined;
  readonly host_numa_node?: number | undefined;
  /** Bytes that may be added later. */
  readonly hotplug_size?: number | undefined;
  /** Bytes of `hotplug_size` that are there from the start. */
  readonly hotplugged_size?: number | undefined;
  readonly prefault?: boolean | undefined;
  readonly reserve?: boolean | undefined;
}

/** The guest's memory: its size, what backs it, and how it can grow. */
export interface MemoryConfig {
  /** Bytes, a multiple of the page size. From 2^46 on the VMM panics at boot. */
  readonly size: number;
  /** Bytes that may be added later. */
  readonly hotplug_size?: number | undefined;
  /** Bytes of `hotplug_size` that are there from the start. */
  readonly hotplugged_size?: number | undefined;
  /** Offers the memory to the kernel's same-page merging. Default false. */
  readonly mergeable?: boolean | undefined;
  /** Default `Acpi`. */
  readonly hotplug_method?: HotplugMethod | undefined;
  /** Shared mapping: what vhost-user devices (virtiofs) need. Default false. */
  readonly shared?: boolean | undefined;
  readonly hugepages?: boolean | undefined;
  /** Bytes; the host's default size where it is missing. */
  readonly hugepage_size?: number | undefined;
  /** Touches all pages at boot. Default false. */
  readonly prefault?: boolean | undefined;
  /** Accounts all memory against the host's overcommit at boot. Default false. */
  readonly reserve?: boolean | undefined;
  /** Transparent huge pages. Default true. */
  readonly thp?: boolean | undefined;
  /** Memory in several parts; `size` is 0 then. */
  readonly zones?: readonly MemoryZoneConfig[] | undefined;
}

/** {@link MemoryZoneConfig} as `vm.info` answers it. */
export type ReportedMemoryZoneConfig = Filled<
  MemoryZoneConfig,
  "mergeable" | "shared" | "hugepages" | "prefault" | "reserve"
>;

/** {@link MemoryConfig} as `vm.info` answers it. */
export type ReportedMemoryConfig = Omit<
  Filled<
    MemoryConfig,
    "mergeable" | "hotplug_method" | "shared" | "hugepages" | "prefault" | "reserve" | "thp"
  >,
  "zones"
> & { readonly zones?: readonly ReportedMemoryZoneConfig[] };

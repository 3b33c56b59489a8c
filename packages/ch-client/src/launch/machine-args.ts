import type { CpusConfig } from "../schema/cpus.ts";
import type { MemoryConfig, MemoryZoneConfig } from "../schema/memory.ts";
import type {
  LandlockConfig,
  NumaConfig,
  PciSegmentConfig,
  PlatformConfig,
} from "../schema/platform.ts";
import type { RateLimitGroupConfig } from "../schema/rate-limits.ts";
import {
  list,
  number,
  on,
  onOff,
  optionString,
  pairs,
  rateLimitOptions,
  text,
} from "./option-string.ts";

/** The value of `--cpus`: `boot=…,max=…` and then the rest. */
export function cpusArg(cpus: CpusConfig): string {
  const { topology: t } = cpus;
  const affinity = cpus.affinity?.map(({ vcpu, host_cpus }) => [vcpu, host_cpus] as const);
  return optionString([
    number("boot", cpus.boot_vcpus),
    number("max", cpus.max_vcpus),
    t && `topology=${t.threads_per_core}:${t.cores_per_die}:${t.dies_per_package}:${t.packages}`,
    on("kvm_hyperv", cpus.kvm_hyperv),
    number("max_phys_bits", cpus.max_phys_bits),
    pairs("affinity", affinity),
    cpus.features?.amx === true ? "features=[amx]" : undefined,
    onOff("nested", cpus.nested),
    text("core_scheduling", cpus.core_scheduling?.toLowerCase()),
    text("profile", cpus.profile),
  ]);
}

/** The value of `--memory`: `size=…` in bytes and then the rest. Zones are arguments of their own (`--memory-zone`). */
export function memoryArg(memory: MemoryConfig): string {
  return optionString([
    number("size", memory.size),
    on("shared", memory.shared),
    on("hugepages", memory.hugepages),
    number("hugepage_size", memory.hugepage_size),
    on("mergeable", memory.mergeable),
    memory.hotplug_method === "VirtioMem" ? "hotplug_method=virtio-mem" : undefined,
    number("hotplug_size", memory.hotplug_size),
    number("hotplugged_size", memory.hotplugged_size),
    on("prefault", memory.prefault),
    on("reserve", memory.reserve),
    onOff("thp", memory.thp),
  ]);
}

/** A value of `--memory-zone`. */
export function memoryZoneArg(zone: MemoryZoneConfig): string {
  return optionString([
    text("id", zone.id),
    number("size", zone.size),
    text("file", zone.file),
    on("shared", zone.shared),
    on("hugepages", zone.hugepages),
    number("hugepage_size", zone.hugepage_size),
    number("host_numa_node", zone.host_numa_node),
    number("hotplug_size", zone.hotplug_size),
    number("hotplugged_size", zone.hotplugged_size),
    on("prefault", zone.prefault),
    on("reserve", zone.reserve),
    // Said either way: a zone follows `--memory mergeable` where it says nothing.
    onOff("mergeable", zone.mergeable ?? false),
  ]);
}

/** The value of `--platform`. */
export function platformArg(platform: PlatformConfig): string {
  return optionString([
    number("num_pci_segments", platform.num_pci_segments),
    list("iommu_segments", platform.iommu_segments),
    number("iommu_address_width", platform.iommu_address_width_bits),
    text("system_serial_number", platform.system_serial_number ?? platform.serial_number),
    text("system_uuid", platform.system_uuid ?? platform.uuid),
    list("oem_strings", platform.oem_strings),
    text("system_manufacturer", platform.system_manufacturer),
    text("system_product_name", platform.system_product_name),
    text("system_version", platform.system_version),
    text("system_family", platform.system_family),
    text("system_sku_number", platform.system_sku_number),
    text("chassis_asset_tag", platform.chassis_asset_tag),
    on("tdx", platform.tdx),
    on("sev_snp", platform.sev_snp),
    onOff("iommufd", platform.iommufd),
    number("iommufd_fd", platform.iommufd_fd),
    onOff("vfio_p2p_dma", platform.vfio_p2p_dma),
  ]);
}

/** A value of `--numa`. */
export function numaArg(numa: NumaConfig): string {
  const distances = numa.distances?.map(
    ({ destination, distance }) => [destination, distance] as const,
  );
  return optionString([
    number("guest_numa_id", numa.guest_numa_id),
    list("cpus", numa.cpus),
    pairs("distances", distances),
    list("memory_zones", numa.memory_zones),
    list("pci_segments", numa.pci_segments),
    text("device_id", numa.device_id),
  ]);
}

/** A value of `--pci-segment`. */
export function pciSegmentArg(segment: PciSegmentConfig): string {
  return optionString([
    number("pci_segment", segment.pci_segment),
    number("mmio32_aperture_weight", segment.mmio32_aperture_weight),
    number("mmio64_aperture_weight", segment.mmio64_aperture_weight),
  ]);
}

/** A value of `--rate-limit-group`. */
export function rateLimitGroupArg(group: RateLimitGroupConfig): string {
  return optionString([...rateLimitOptions(group.rate_limiter_config), text("id", group.id)]);
}

/** A value of `--landlock-rules`. */
export function landlockRuleArg(rule: LandlockConfig): string {
  return optionString([text("path", rule.path), text("access", rule.access)]);
}

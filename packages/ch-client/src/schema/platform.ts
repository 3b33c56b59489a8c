import type { Filled } from "./common.ts";

/** What the VM boots: a kernel (with initramfs and command line) or a firmware. */
export interface PayloadConfig {
  readonly firmware?: string | undefined;
  /** An ELF image with a PVH entry point, or a bzImage. */
  readonly kernel?: string | undefined;
  /** The kernel's command line. */
  readonly cmdline?: string | undefined;
  readonly initramfs?: string | undefined;
  /** Only in VMMs built for it. */
  readonly igvm?: string | undefined;
  /** SEV-SNP, only in VMMs built for it. */
  readonly host_data?: string | undefined;
}

/** A PCI segment of the guest besides the first. */
export interface PciSegmentConfig {
  readonly pci_segment: number;
  readonly mmio32_aperture_weight?: number | undefined;
  readonly mmio64_aperture_weight?: number | undefined;
}

/** What the guest's firmware tables say, and the machine as a whole. */
export interface PlatformConfig {
  readonly num_pci_segments?: number | undefined;
  readonly iommu_segments?: readonly number[] | undefined;
  readonly iommu_address_width_bits?: number | undefined;
  readonly system_serial_number?: string | undefined;
  /** @deprecated Say `system_serial_number`; answers do. */
  readonly serial_number?: string | undefined;
  readonly system_uuid?: string | undefined;
  /** @deprecated Say `system_uuid`; answers do. */
  readonly uuid?: string | undefined;
  readonly oem_strings?: readonly string[] | undefined;
  readonly system_manufacturer?: string | undefined;
  readonly system_product_name?: string | undefined;
  readonly system_version?: string | undefined;
  readonly system_family?: string | undefined;
  readonly system_sku_number?: string | undefined;
  readonly chassis_asset_tag?: string | undefined;
  /** Only in VMMs built for it. */
  readonly tdx?: boolean | undefined;
  /** Only in VMMs built for it. */
  readonly sev_snp?: boolean | undefined;
  readonly iommufd?: boolean | undefined;
  /** Inherited descriptor; launch arguments only, like `fds` of a NIC. Not in the OpenAPI file. */
  readonly iommufd_fd?: number | undefined;
  /** Default true. */
  readonly vfio_p2p_dma?: boolean | undefined;
}

/** How far a NUMA node is from another one. */
export interface NumaDistance {
  readonly destination: number;
  readonly distance: number;
}

/** A NUMA node of the guest. */
export interface NumaConfig {
  readonly guest_numa_id: number;
  readonly cpus?: readonly number[] | undefined;
  readonly distances?: readonly NumaDistance[] | undefined;
  readonly memory_zones?: readonly string[] | undefined;
  readonly pci_segments?: readonly number[] | undefined;
  readonly device_id?: string | undefined;
}

/** A path that the VMM may use under Landlock, besides those of its configuration. */
export interface LandlockConfig {
  readonly path: string;
  /** `r`, `w` or `rw`. */
  readonly access: string;
}

/** {@link PlatformConfig} as `vm.info` answers it. */
export type ReportedPlatformConfig = Omit<
  Filled<
    PlatformConfig,
    "num_pci_segments" | "iommu_address_width_bits" | "iommufd" | "vfio_p2p_dma"
  >,
  "serial_number" | "uuid"
>;

/** {@link PciSegmentConfig} as `vm.info` answers it. */
export type ReportedPciSegmentConfig = Filled<
  PciSegmentConfig,
  "mmio32_aperture_weight" | "mmio64_aperture_weight"
>;

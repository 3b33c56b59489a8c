/**
 * An unsigned 64-bit integer of the API: a number while it is a safe integer (at most 2^53 - 1), a bigint beyond.
 * Counters reach 2^64 - 1: a block device without traffic reports that as its smallest latency.
 */
export type Int64 = number | bigint;

/** What every device on the PCI bus can be told. */
export interface PciDeviceCommonConfig {
  /** Unique among the VM's devices. The VMM makes one up (`_disk0`, `_net2`) where it is missing. */
  readonly id?: string | undefined;
  /** Puts the device behind the virtual IOMMU. Left out of answers while it is off. */
  readonly iommu?: boolean | undefined;
  /** Default 0. */
  readonly pci_segment?: number | undefined;
  /** Slot on the bus, 0 to 31; the VMM chooses one where it is missing. */
  readonly pci_device_id?: number | undefined;
}

/** `T` with the named optional fields always there, as the VMM's answers have them. */
export type Filled<T, K extends keyof T> = Omit<T, K> & {
  readonly [P in K]-?: Exclude<T[P], undefined>;
};

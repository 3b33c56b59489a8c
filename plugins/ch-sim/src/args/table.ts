/** How many values an option takes: none, one, one or none, or one and more. */
export type Arity = "none" | "one" | "optional" | "many";

/** One option of the command line. */
export interface OptionSpec {
  readonly name: string;
  readonly short?: string;
  readonly arity: Arity;
  /** What it is for, in a line of the help. */
  readonly help: string;
  readonly byDefault?: string;
  readonly values?: readonly string[];
  /** Whether it describes the VM, and so makes sense only where there is something to boot. */
  readonly vm?: true;
  /** Whether it may be given more than once without values, to count. */
  readonly counted?: true;
}

/** Every option, in the order of the help. */
export const OPTIONS: readonly OptionSpec[] = [
  {
    name: "api-socket",
    arity: "one",
    help: "Unix socket of the HTTP API: a path, path=<path> or fd=<fd>",
  },
  {
    name: "balloon",
    arity: "one",
    vm: true,
    help: "Balloon: size, deflate_on_oom, free_page_reporting, iommu, id, pci_segment, pci_device_id",
  },
  { name: "cmdline", arity: "one", vm: true, help: "Kernel command line" },
  {
    name: "console",
    arity: "one",
    vm: true,
    byDefault: "tty",
    help: "Virtio console: off, null, pty, tty or file=<path>, with iommu, id, pci_segment, pci_device_id",
  },
  {
    name: "cpus",
    arity: "one",
    vm: true,
    byDefault: "boot=1,max_phys_bits=46",
    help: "CPUs: boot, max, topology, kvm_hyperv, max_phys_bits, affinity, features, nested, core_scheduling",
  },
  {
    name: "debug-console",
    arity: "one",
    vm: true,
    byDefault: "off,iobase=0xe9",
    help: "Debug console: off, pty, tty or file=<path>, with iobase in hex",
  },
  {
    name: "device",
    arity: "many",
    vm: true,
    help: "PCI passthrough: path, fd, iommu, id, pci_segment, pci_device_id, x_nv_gpudirect_clique, x_exclude_mmap_bars",
  },
  {
    name: "disk",
    arity: "many",
    vm: true,
    help: "Disk: path, readonly, direct, num_queues, queue_size, vhost_user, socket, rate limits, serial, queue_affinity, backing_files, sparse, image_type, lock_granularity, iommu, id, pci_segment, pci_device_id",
  },
  {
    name: "event-monitor",
    arity: "one",
    help: "Where events are reported: path=<path> or fd=<fd>",
  },
  { name: "firmware", arity: "one", help: "Firmware to boot" },
  {
    name: "fs",
    arity: "many",
    vm: true,
    help: "Shared directory: tag, socket, num_queues, queue_size, id, pci_segment, pci_device_id",
  },
  {
    name: "generic-vhost-user",
    arity: "many",
    vm: true,
    help: "Vhost-user device: device_type, socket, queue_sizes, id, pci_segment, pci_device_id",
  },
  { name: "initramfs", arity: "one", vm: true, help: "Initial RAM file system" },
  { name: "kernel", arity: "one", help: "Kernel to boot" },
  {
    name: "landlock",
    arity: "none",
    vm: true,
    help: "Restrict the process to the files that the VM needs",
  },
  {
    name: "landlock-rules",
    arity: "many",
    vm: true,
    help: "More files for landlock: path, access",
  },
  { name: "log-file", arity: "one", help: "Log file; standard error without it" },
  {
    name: "log-format",
    arity: "one",
    byDefault: "cloud-hypervisor: {boottime}s: <{thread}> {level}:{location} -- {msg}",
    help: "Form of a log line",
  },
  {
    name: "memory",
    arity: "one",
    vm: true,
    byDefault: "size=512M",
    help: "Memory: size, mergeable, shared, hugepages, hugepage_size, hotplug_method, hotplug_size, hotplugged_size, prefault, reserve, thp",
  },
  {
    name: "memory-zone",
    arity: "many",
    vm: true,
    help: "Memory zone: id, size, file, shared, hugepages, hugepage_size, host_numa_node, hotplug_size, hotplugged_size, prefault, reserve, mergeable",
  },
  {
    name: "net",
    arity: "many",
    vm: true,
    help: "NIC: tap, ip, mask, mac, host_mac, mtu, fd, num_queues, queue_size, vhost_user, socket, vhost_mode, rate limits, offload_tso, offload_ufo, offload_csum, iommu, id, pci_segment, pci_device_id",
  },
  { name: "no-shutdown", arity: "none", help: "Stay when the guest shuts down" },
  {
    name: "numa",
    arity: "many",
    vm: true,
    help: "NUMA node: guest_numa_id, cpus, distances, device_id, memory_zones, pci_segments",
  },
  {
    name: "pci-segment",
    arity: "many",
    vm: true,
    help: "PCI segment: pci_segment, mmio32_aperture_weight, mmio64_aperture_weight",
  },
  {
    name: "platform",
    arity: "one",
    vm: true,
    help: "Platform: num_pci_segments, iommu_segments, iommu_address_width, iommufd, iommufd_fd, vfio_p2p_dma, SMBIOS strings",
  },
  {
    name: "pmem",
    arity: "many",
    vm: true,
    help: "Persistent memory: file, size, discard_writes, iommu, id, pci_segment, pci_device_id",
  },
  { name: "pvpanic", arity: "none", vm: true, help: "Add a pvpanic device" },
  {
    name: "rate-limit-group",
    arity: "many",
    vm: true,
    help: "Rate limit group: id and rate limits",
  },
  {
    name: "restore",
    arity: "one",
    help: "Snapshot to restore: source_url, prefault, memory_restore_mode, net_fds, resume",
  },
  {
    name: "rng",
    arity: "one",
    vm: true,
    byDefault: "src=/dev/urandom",
    help: "Random number generator: src, iommu, pci_segment, pci_device_id",
  },
  {
    name: "rtc",
    arity: "optional",
    vm: true,
    help: "Virtio real-time clock: iommu, id, pci_segment, pci_device_id",
  },
  {
    name: "seccomp",
    arity: "one",
    byDefault: "true",
    values: ["true", "false", "log", "errno"],
    help: "System call filter",
  },
  {
    name: "serial",
    arity: "one",
    vm: true,
    byDefault: "null",
    help: "Serial port: off, null, pty, tty, file=<path> or socket=<path>",
  },
  { name: "tpm", arity: "one", vm: true, help: "TPM: socket" },
  {
    name: "user-device",
    arity: "many",
    vm: true,
    help: "Vfio-user device: socket, id, pci_segment, pci_device_id",
  },
  { name: "v", short: "v", arity: "none", counted: true, help: "Log more; up to three times" },
  {
    name: "vdpa",
    arity: "many",
    vm: true,
    help: "vDPA device: path, num_queues, iommu, id, pci_segment, pci_device_id",
  },
  { name: "version", short: "V", arity: "none", help: "Print the version" },
  {
    name: "vsock",
    arity: "one",
    vm: true,
    help: "Vsock: cid, socket, iommu, id, pci_segment, pci_device_id",
  },
  { name: "watchdog", arity: "none", vm: true, help: "Add a watchdog" },
  { name: "help", short: "h", arity: "none", help: "Print help" },
];

/** An option as messages name it, with a placeholder for its values. */
export function optionLabel(option: OptionSpec): string {
  const value = `<${option.name}>`;
  if (option.name === "v") return "-v...";
  if (option.arity === "none") return `--${option.name}`;
  if (option.arity === "optional") return `--${option.name} [${value}]`;
  return option.arity === "many" ? `--${option.name} ${value}...` : `--${option.name} ${value}`;
}

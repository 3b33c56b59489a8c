import type * as types from "../config/types.ts";
import { validationErrors } from "../config/validation-errors.ts";
import { VmmError } from "../errors.ts";
import { quote } from "../json/content.ts";
import { missing, parsePci, wrap } from "./devices.ts";
import {
  asBytes,
  asI32,
  asIntegers,
  asPairs,
  asStrings,
  asString,
  asU16,
  asU32,
  asU64,
  asU8,
  asWord,
  type Convert,
  invalidValue,
  Options,
} from "./option-parser.ts";

function compact<T extends object>(value: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(
    Object.entries(value).filter(([, member]) => member !== undefined),
  ) as T;
}

const topology: Convert<NonNullable<types.CpusConfig["topology"]>> = (text) => {
  const [threads, cores, dies, packages, ...more] = text.split(":").map(asU16);
  if (threads === undefined || cores === undefined || dies === undefined || packages === undefined)
    return undefined;
  if (more.length > 0) return undefined;
  return { threads_per_core: threads, cores_per_die: cores, dies_per_package: dies, packages };
};

export function parseCpus(text: string): types.CpusConfig {
  const keys = [
    "boot",
    "max",
    "topology",
    "kvm_hyperv",
    "max_phys_bits",
    "affinity",
    "features",
    "nested",
    "core_scheduling",
    "profile",
  ];
  const options = new Options(text, keys, wrap("ParseCpus", "cpus"));
  const boot = options.convert("boot", asU32) ?? 1;
  const cpus = compact<types.CpusConfig>({
    boot_vcpus: boot,
    max_vcpus: options.convert("max", asU32) ?? boot,
    topology: options.convert("topology", topology),
    kvm_hyperv: options.toggle("kvm_hyperv"),
    max_phys_bits: options.convert("max_phys_bits", asU8) ?? 46,
    affinity: options
      .convert("affinity", asPairs(asU32, asIntegers))
      ?.map(([vcpu, host_cpus]) => ({ vcpu, host_cpus })),
    profile:
      options.convert<"Host">("profile", (value) => (value === "Host" ? value : undefined)) ??
      "Host",
    features: { amx: false },
    nested: true,
    core_scheduling: "Vm",
  });
  for (const feature of options.convert("features", asStrings) ?? []) {
    if (feature !== "amx") {
      throw new VmmError(
        "InvalidCpuFeatures",
        `Invalid feature in --cpus features list: ${feature}`,
        undefined,
        `(${quote(feature)})`,
      );
    }
    cpus.features = { amx: true };
  }
  cpus.nested = options.toggle("nested", true);
  cpus.core_scheduling =
    options.convert("core_scheduling", asWord({ vm: "Vm", vcpu: "Vcpu", off: "Off" } as const)) ??
    "Vm";
  return cpus;
}

function parseZone(text: string, mergeable: boolean): types.MemoryZoneConfig {
  const keys = [
    "id",
    "size",
    "file",
    "shared",
    "hugepages",
    "hugepage_size",
    "host_numa_node",
    "hotplug_size",
    "hotplugged_size",
    "prefault",
    "reserve",
    "mergeable",
  ];
  const options = new Options(text, keys, wrap("ParseMemoryZone", "memory-zone"));
  const id = options.get("id");
  if (id === undefined)
    throw missing("ParseMemoryZoneIdMissing", "Error parsing --memory-zone: id missing");
  return compact<types.MemoryZoneConfig>({
    id,
    size: options.convert("size", asBytes) ?? 512 * 1024 * 1024,
    file: options.get("file"),
    shared: options.toggle("shared"),
    hugepages: options.toggle("hugepages"),
    hugepage_size: options.convert("hugepage_size", asBytes),
    host_numa_node: options.convert("host_numa_node", asU32),
    hotplug_size: options.convert("hotplug_size", asBytes),
    hotplugged_size: options.convert("hotplugged_size", asBytes),
    prefault: options.toggle("prefault"),
    reserve: options.toggle("reserve"),
    mergeable: options.toggle("mergeable", mergeable),
  });
}

export function parseMemory(
  text: string,
  zones: readonly string[] | undefined,
): types.MemoryConfig {
  const keys = [
    "size",
    "file",
    "mergeable",
    "hotplug_method",
    "hotplug_size",
    "hotplugged_size",
    "shared",
    "hugepages",
    "hugepage_size",
    "prefault",
    "reserve",
    "thp",
  ];
  const options = new Options(text, keys, wrap("ParseMemory", "memory"));
  const mergeable = options.toggle("mergeable");
  return compact<types.MemoryConfig>({
    size: options.convert("size", asBytes) ?? 512 * 1024 * 1024,
    mergeable,
    hotplug_method:
      options.convert(
        "hotplug_method",
        asWord({ acpi: "Acpi", "virtio-mem": "VirtioMem" } as const),
      ) ?? "Acpi",
    hotplug_size: options.convert("hotplug_size", asBytes),
    hotplugged_size: options.convert("hotplugged_size", asBytes),
    shared: options.toggle("shared"),
    hugepages: options.toggle("hugepages"),
    hugepage_size: options.convert("hugepage_size", asBytes),
    prefault: options.toggle("prefault"),
    reserve: options.toggle("reserve"),
    thp: options.toggle("thp", true),
    zones: zones?.map((zone) => parseZone(zone, mergeable)),
  });
}

const MODES = ["off", "pty", "tty", "null"] as const;

function consoleMode(options: Options, socketAllowed: boolean): types.SerialConfig {
  const modes = { off: "Off", pty: "Pty", tty: "Tty", null: "Null" } as const;
  for (const mode of MODES) if (options.has(mode)) return { mode: modes[mode] };
  if (options.has("file")) {
    const file = options.get("file");
    if (file === undefined) throw validation(validationErrors.consoleFileMissing());
    return { file, mode: "File" };
  }
  if (socketAllowed && options.has("socket")) {
    const socket = options.get("socket");
    if (socket === undefined) throw validation(validationErrors.consoleSocketMissing());
    return { mode: "Socket", socket };
  }
  throw missing(
    "ParseConsoleInvalidModeGiven",
    "Error parsing --console: invalid console mode given",
  );
}

function validation(error: VmmError): VmmError {
  return new VmmError("Validation", "Error validating configuration", error);
}

export function parseSerial(text: string): types.SerialConfig {
  return consoleMode(
    new Options(text, ["file", "socket"], wrap("ParseSerial", "serial"), { valueless: MODES }),
    true,
  );
}

export function parseConsole(text: string): types.ConsoleConfig {
  const keys = ["file", "socket", "id", "iommu", "pci_segment", "pci_device_id"];
  const options = new Options(text, keys, wrap("ParseConsole", "console"), { valueless: MODES });
  return { ...consoleMode(options, true), ...parsePci(text) };
}

export function parseDebugConsole(text: string): types.DebugConsoleConfig {
  const options = new Options(text, ["file", "iobase"], wrap("ParseConsole", "console"), {
    valueless: MODES,
  });
  const { mode, file } = consoleMode(options, false);
  const port = options.get("iobase");
  const iobase = port === undefined ? undefined : hexPort(port);
  return compact<types.DebugConsoleConfig>({ file, mode, iobase });
}

function hexPort(text: string): number {
  const value = /^0x\+?[0-9a-fA-F]+$/.test(text)
    ? Number.parseInt(text.slice(2).replace("+", ""), 16)
    : undefined;
  if (value === undefined || value > 0xffff)
    throw validation(validationErrors.invalidIoPortHex(text));
  return value;
}

export function parseNuma(text: string): types.NumaConfig {
  const wrapped = wrap("ParseNuma", "numa");
  const keys = ["guest_numa_id", "cpus", "distances", "device_id", "memory_zones", "pci_segments"];
  const options = new Options(text, keys, wrapped);
  const id = options.convert("guest_numa_id", asU32);
  if (id === undefined) throw wrapped(invalidValue("guest_numa_id is required for all NUMA nodes"));
  const node = compact<types.NumaConfig>({
    guest_numa_id: id,
    cpus: options
      .convert("cpus", asIntegers)
      ?.map((value) => Number(BigInt.asUintN(32, BigInt(value)))),
    distances: options
      .convert("distances", asPairs(asU64, asU64))
      ?.map(([destination, distance]) => ({
        destination: Number(BigInt.asUintN(32, BigInt(destination))),
        distance: Number(BigInt.asUintN(8, BigInt(distance))),
      })),
    device_id: options.get("device_id"),
    memory_zones: options.convert("memory_zones", asStrings),
    pci_segments: options
      .convert("pci_segments", asIntegers)
      ?.map((value) => Number(BigInt.asUintN(16, BigInt(value)))),
  });
  if (
    node.device_id !== undefined &&
    (node.cpus !== undefined || node.memory_zones !== undefined)
  ) {
    throw wrapped(
      invalidValue("device_id in numa config cannot be used with cpus or memory zones"),
    );
  }
  return node;
}

export function parsePciSegment(text: string): types.PciSegmentConfig {
  const keys = ["mmio32_aperture_weight", "mmio64_aperture_weight", "pci_segment"];
  const options = new Options(text, keys, wrap("ParsePciSegment", "pci-segment"));
  return {
    pci_segment: options.convert("pci_segment", asU16) ?? 0,
    mmio32_aperture_weight: options.convert("mmio32_aperture_weight", asU32) ?? 1,
    mmio64_aperture_weight: options.convert("mmio64_aperture_weight", asU32) ?? 1,
  };
}

const SMBIOS = [
  "system_manufacturer",
  "system_product_name",
  "system_version",
  "system_serial_number",
  "system_uuid",
  "system_sku_number",
  "system_family",
  "chassis_asset_tag",
] as const;

export function parsePlatform(text: string): types.PlatformConfig {
  const keys = [
    "num_pci_segments",
    "iommu_segments",
    "iommu_address_width",
    "serial_number",
    "uuid",
    "oem_strings",
    "iommufd",
    "iommufd_fd",
    "vfio_p2p_dma",
    ...SMBIOS,
  ];
  const options = new Options(text, keys, wrap("ParsePlatform", "platform"));
  const fd = options.convert("iommufd_fd", asI32);
  const texts = Object.fromEntries(SMBIOS.map((key) => [key, options.convert(key, asString)]));
  return compact<types.PlatformConfig>({
    num_pci_segments: options.convert("num_pci_segments", asU16) ?? 1,
    iommu_segments: options
      .convert("iommu_segments", asIntegers)
      ?.map((value) => Number(BigInt.asUintN(16, BigInt(value)))),
    iommu_address_width_bits: options.convert("iommu_address_width", asU8) ?? 64,
    oem_strings: options.convert("oem_strings", asStrings),
    iommufd: options.toggle("iommufd", fd !== undefined),
    iommufd_fd: fd,
    vfio_p2p_dma: options.toggle("vfio_p2p_dma", true),
    ...texts,
    system_serial_number:
      texts["system_serial_number"] ?? options.convert("serial_number", asString),
    system_uuid: texts["system_uuid"] ?? options.convert("uuid", asString),
  });
}

export function parseTpm(text: string): { socket: string } {
  const socket = new Options(text, ["socket"], wrap("ParseTpm", "tpm")).get("socket");
  if (socket === undefined)
    throw missing("ParseTpmPathMissing", "Error parsing --tpm: path missing");
  return { socket };
}

export function parseLandlockRule(text: string): types.LandlockRule {
  const wrapped = wrap("ParseLandlockRules", "landlock-rules");
  const options = new Options(text, ["path", "access"], wrapped);
  const path = options.get("path");
  const access = options.get("access");
  if (path === undefined || access === undefined) {
    throw missing(
      "ParseLandlockMissingFields",
      "Error parsing --landlock-rules: path/access field missing",
    );
  }
  if (Array.from(access).length > 2) throw wrapped(invalidValue(access));
  return { path, access };
}

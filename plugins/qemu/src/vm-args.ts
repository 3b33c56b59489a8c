import { cmdlineOf, type Disk, type Nic, type VmPaths, type VmRecord } from "@silkvm/core";
import { diskArgs } from "./disks.ts";
import { firmwareArgs } from "./firmware-args.ts";
import { type Place, placeOf, portDevices, portId } from "./layout.ts";
import { nicArgs } from "./nic-args.ts";
import { optionValue } from "./option-value.ts";
import { type DiskSite, placeOfSite } from "./places.ts";
import { isMicrovm } from "./settings.ts";
import { monitorArgs, pidPath } from "./vmm-processes.ts";

/** Below this a balloon would take more than it gives. */
const smallestBalloonMemoryBytes = 256 * 1024 * 1024;
const kib = 1024;

/** A NIC, and where it is. */
export interface PlacedNic {
  readonly id: string;
  /** Number of its root port. */
  readonly port: number;
  readonly nic: Pick<Nic, "tap" | "mac" | "queues" | "queueSize">;
}

/** A disk, and where it is. */
export interface PlacedDisk {
  readonly id: string;
  readonly site: DiskSite;
  readonly disk: Disk;
}

/** All that decides on QEMU's arguments besides the VM's record. */
export interface VmShape {
  /** A type of machine, by any of its names. */
  readonly machine: string;
  readonly accel: "kvm" | "tcg";
  /** The disks that the VM has, in the guest's order. */
  readonly disks: readonly PlacedDisk[];
  readonly nics: readonly PlacedNic[];
  /** Paths of those disks that are block devices of the host. */
  readonly blockDevices: ReadonlySet<string>;
  /** Whether the kernel moves the packets of NICs (vhost-net). */
  readonly vhost: boolean;
  /** No O_DIRECT for any disk. */
  readonly buffered: boolean;
  /** Where the variables of the VM's UEFI are, if they are kept. */
  readonly varsPath?: string | undefined;
  /** Waits for the state of a guest instead of booting one. */
  readonly incoming: boolean;
}

/** NICs of a VM that boots, one after the other. */
export function placedNics(nics: readonly Nic[]): readonly PlacedNic[] {
  return nics.map((nic, index) => ({ id: `nic${index}`, port: index, nic }));
}

/** Disks of a VM that boots, one after the other. */
export function placedDisks(disks: readonly Disk[]): readonly PlacedDisk[] {
  return disks.map((disk, index) => ({
    id: `disk${index}`,
    site: { index, of: disks.length },
    disk,
  }));
}

/** QEMU's arguments for a VM. What may hold commas is written as JSON, or with its commas twice. */
export function vmArgs(vm: VmRecord, paths: VmPaths, shape: VmShape): readonly string[] {
  const micro = isMicrovm(shape.machine);
  // Where nothing is ever added there is no need for a plan of places.
  const at = (place: Place): Place => (micro ? { bus: "pcie.0" } : place);
  return [
    "-name",
    `guest=${vm.name},debug-threads=on`,
    "-nodefaults",
    "-no-user-config",
    "-display",
    "none",
    "-pidfile",
    pidPath(paths),
    ...monitorArgs(paths),
    ...machineArgs(vm, shape),
    ...bootArgs(vm, shape),
    ...consoleArgs(vm, paths, at(placeOf.console)),
    ...device({
      driver: "virtio-rng-pci",
      id: "rng",
      rng: "urandom",
      "disable-legacy": "on",
      ...at(placeOf.rng),
    }),
    ...balloonArgs(vm, at(placeOf.balloon)),
    ...(micro
      ? []
      : [
          ...portDevices().flatMap(device),
          ...device({ driver: "vmgenid", guid: "auto", id: "generation" }),
        ]),
    ...shape.disks.flatMap(({ id, site, disk }, index) => {
      const { nodes, device: itself } = diskArgs(
        {
          disk,
          id,
          place: at(placeOfSite(site)),
          isBlockDevice: shape.blockDevices.has(disk.path),
          buffered: shape.buffered,
          ...(vm.boot.kind === "firmware" ? { bootIndex: index } : {}),
        },
        vm.config,
      );
      return [...nodes.flatMap((node) => ["-blockdev", JSON.stringify(node)]), ...device(itself)];
    }),
    ...shape.nics.flatMap(({ id, port, nic }) => {
      const place = micro ? { bus: "pcie.0" } : { bus: portId(port) };
      const { netdev, device: itself } = nicArgs({ nic, id, place, vhost: shape.vhost }, vm.config);
      return ["-netdev", JSON.stringify(netdev), ...device(itself)];
    }),
    ...(shape.incoming ? ["-S", "-incoming", "defer"] : []),
  ];
}

function device(properties: Readonly<Record<string, unknown>>): readonly string[] {
  return ["-device", JSON.stringify(properties)];
}

function machineArgs({ config }: VmRecord, { machine, accel }: VmShape): readonly string[] {
  const { cpus, memoryBytes, windows } = config;
  const own = isMicrovm(machine) ? ",pcie=on,rtc=on,isa-serial=on" : ",usb=off,vmport=off";
  // Under KVM `max` is what the host's CPU has; under TCG, what the translator knows.
  const hyperv =
    windows && accel === "kvm" ? ",hv-relaxed,hv-vapic,hv-time,hv-spinlocks=0x1fff" : "";
  return [
    "-machine",
    `type=${machine},accel=${accel},memory-backend=ram${own}`,
    "-cpu",
    `max${hyperv}`,
    "-smp",
    `cpus=${cpus}`,
    "-m",
    `size=${memoryBytes / kib}K`,
    "-object",
    JSON.stringify(memory(config)),
    "-object",
    JSON.stringify({ "qom-type": "rng-random", id: "urandom", filename: "/dev/urandom" }),
  ];
}

/** Memory that another process may map (virtiofsd), or that is of huge pages, is a file without a name. */
function memory({
  memoryBytes: size,
  sharedMemory,
  hugepages,
}: VmRecord["config"]): Record<string, unknown> {
  if (!sharedMemory && !hugepages) return { "qom-type": "memory-backend-ram", id: "ram", size };
  return {
    "qom-type": "memory-backend-memfd",
    id: "ram",
    size,
    share: true,
    ...(hugepages ? { hugetlb: true } : {}),
  };
}

function bootArgs(vm: VmRecord, { accel, varsPath }: VmShape): readonly string[] {
  const { boot } = vm;
  if (boot.kind === "firmware") return firmwareArgs(boot.firmwarePath, varsPath);
  // Linux measures its timer as it boots, and panics where an emulated CPU on a busy host gets too few turns. With KVM it does not measure.
  const unmeasured = boot.layered === true && accel === "tcg" ? " no_timer_check" : "";
  const cmdline = `${cmdlineOf(vm) ?? ""}${unmeasured}`;
  return [
    "-kernel",
    boot.kernelPath,
    ...(boot.initrdPath === undefined ? [] : ["-initrd", boot.initrdPath]),
    ...(cmdline === "" ? [] : ["-append", cmdline]),
  ];
}

/** The kernel's `hvc0` for one that is booted directly, the serial line for a firmware: each a socket, which one client after the other can have. */
function consoleArgs(
  vm: VmRecord,
  { consoleSocketPath }: VmPaths,
  place: Place,
): readonly string[] {
  const socket = `socket,id=console,path=${optionValue(consoleSocketPath)},server=on,wait=off`;
  if (vm.boot.kind === "firmware") return ["-chardev", socket, "-serial", "chardev:console"];
  return [
    "-chardev",
    socket,
    ...device({
      driver: "virtio-serial-pci",
      id: "serial",
      max_ports: 1,
      "disable-legacy": "on",
      ...place,
    }),
    ...device({ driver: "virtconsole", id: "hvc0", chardev: "console" }),
  ];
}

/** Windows has none: its driver can spin while the guest shuts down. */
function balloonArgs({ config }: VmRecord, place: Place): readonly string[] {
  if (config.windows || config.memoryBytes < smallestBalloonMemoryBytes) return [];
  return device({
    driver: "virtio-balloon-pci",
    id: "balloon",
    "deflate-on-oom": true,
    "free-page-reporting": true,
    "disable-legacy": "on",
    ...place,
  });
}

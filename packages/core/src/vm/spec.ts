import type { LeaseRequest } from "../image/image-source.ts";
import type { GuestConfig, RunSpec, VmImage } from "../image/vm-image.ts";
import type { Boot, VmConfig } from "./record.ts";

/** An existing image given to a VM; silk never deletes it. */
export interface DiskSpec {
  /** A raw or qcow2 image, or a block device; a relative path starts at the engine's `cwd`. */
  readonly path: string;
  /** Default false. */
  readonly readonly?: boolean | undefined;
  /** What the guest sees as the disk's serial: at most 20 characters. Default: none. */
  readonly serial?: string | undefined;
  /** Default: on for writable disks, unless the VM says `noDirectIo`. */
  readonly directIo?: boolean | undefined;
}

/** A data disk that is made with the VM and deleted with it. */
export interface DataDiskSpec {
  /** At least 16 MiB. */
  readonly sizeBytes: number;
  /** `[a-z][a-z0-9_-]{0,19}`; also its serial. Default: the first of `data1`, `data2`, … that no disk has. */
  readonly name?: string | undefined;
  /** Default `ext4`. */
  readonly fstype?: "ext4" | "none" | undefined;
  /** Where cidata mounts it in the guest; an empty string for nowhere. Default: `/mnt/` and its name, where it has a file system. */
  readonly mountPoint?: string | undefined;
  /** O_DIRECT. Default: on, unless the VM says `noDirectIo`. */
  readonly directIo?: boolean | undefined;
}

/** How a VM is to boot, as it is asked for. */
export type BootSpec =
  | {
      /** Path of the kernel: an uncompressed one with a PVH entry (`vmlinux`), or a bzImage. May be left out with an image that has one. */
      readonly kernel?: string | undefined;
      /** Path of the initramfs. Default: none, or the image's. */
      readonly initrd?: string | undefined;
      /** Default `console=hvc0`. With an image of layers: what its kernel is told besides. */
      readonly cmdline?: string | undefined;
    }
  | {
      /** Path of a UEFI firmware for the backend's VMM, which boots what the disks hold. */
      readonly firmware: string;
    };

/** What a caller asks for when it creates a VM. */
export interface VmSpec {
  /** Default: a new random id. A chosen one makes a retry harmless: the second create is refused with `VM_EXISTS`. */
  readonly id?: string | undefined;
  /** Default: `vm-` and the first characters of the id. */
  readonly name?: string | undefined;
  /** Default: the engine's default backend. */
  readonly backend?: string | undefined;
  /** 1 … host CPUs. Default 2, or what the host has where that is less. */
  readonly cpus?: number | undefined;
  /** Default 1 GiB; whole pages of 4 KiB, at least 1 MiB. */
  readonly memoryBytes?: number | undefined;
  /**
   * Size of the COW disk; 0 for none. Default 10 GiB (sparse) for direct boot, none for firmware; with a cloud image the size of its disk, which it cannot
   * be less than.
   */
  readonly storageBytes?: number | undefined;
  /** The image to make it of: `debian:12`, the URL of a cloud image, whatever an image source knows. */
  readonly image?: string | undefined;
  /** Whether the image may be fetched. Default `missing`: where it is not here. */
  readonly pull?: LeaseRequest["pull"] | undefined;
  /** What to boot. May be left out with an image that can be booted by itself; a cloud image boots by firmware that is found. */
  readonly boot?: BootSpec | undefined;
  /** What the guest of a cloud image is told by cidata. */
  readonly guest?: GuestConfig | undefined;
  /** What an image makes of a user: with a cloud image as `guest.user`, with a container's as `run.user`. */
  readonly user?: string | undefined;
  /** How a container's image is to be run otherwise than its maker has set it. */
  readonly run?: RunSpec | undefined;
  /** The kernel that a container's image is to boot with, by its name among those of the image source. Default: the source's choice. */
  readonly imageKernel?: string | undefined;
  /** Images that are there already, in the order in which the guest sees them, before those that are made for it. */
  readonly disks?: readonly DiskSpec[] | undefined;
  /** Disks that are made with it, empty, and go with it. */
  readonly dataDisks?: readonly DataDiskSpec[] | undefined;
  /** Number of NICs, 0 to 16. Default 1 where a bridge or a network is named, else 0. */
  readonly nics?: number | undefined;
  /** The bridge of the host that its NICs are ports of; not together with `network`. */
  readonly bridge?: string | undefined;
  /**
   * The network that its NICs are in; not together with `bridge`. A name is that of a CNI network (of the first plugin whose networks are named so);
   * `KIND:NAME` is one of any kind, such as those of other plugins: `lan:blue`, or `lan:` where they need no name.
   */
  readonly network?: string | undefined;
  /** MACs of its first NICs. Default: random ones that no manufacturer has given out. */
  readonly macs?: readonly string[] | undefined;
  /** IPv4 addresses of DNS servers, for guests of images. A kernel of your own is told of them by its cmdline. */
  readonly dns?: readonly string[] | undefined;
  /** Depth of each queue of its NICs: a power of two up to 32,768. Default 0: 512. */
  readonly netQueueSize?: number | undefined;
  /** Depth of each queue of its disks: a power of two up to 32,768. Default 0: 512. */
  readonly diskQueueSize?: number | undefined;
  /** Writable disks go through the host's page cache: for file systems without O_DIRECT. Default false. */
  readonly noDirectIo?: boolean | undefined;
  /** Its guest is Windows: it gets Hyper-V's interfaces, and neither a balloon nor cidata. Default false. */
  readonly windows?: boolean | undefined;
  /** Its memory can be shared with other processes, such as a virtiofsd, without which no directory can be shared with it. Default false. */
  readonly sharedMemory?: boolean | undefined;
  /** Its memory is of the host's huge pages, which have to be reserved; it is shared, too. Default false. */
  readonly hugepages?: boolean | undefined;
  /** Words of your own, by which VMs can be found (`engine.list({ labels })`). */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** A {@link VmSpec} with every default filled in, every rule checked and every path absolute. */
export interface ResolvedVmSpec {
  readonly id: string;
  readonly name: string;
  readonly backend: string;
  readonly config: VmConfig;
  readonly boot: Boot;
  /** What it is made of, where it is made of an image. */
  readonly image?: VmImage | undefined;
  readonly disks: readonly DiskSpec[];
  readonly dataDisks: readonly (DataDiskSpec & {
    readonly name: string;
    readonly fstype: "ext4" | "none";
  })[];
  readonly nics: number;
  /** Of the first NICs, in lower case. */
  readonly macs: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

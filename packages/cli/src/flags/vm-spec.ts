import { boolean, custom, option, string } from "@oclif/core/flags";
import type { DataDiskSpec, DiskSpec } from "@silkvm/core";
import { parseDataDisk } from "../parse/data-disk.ts";
import { parseDisk } from "../parse/disk.ts";
import { containerFlags, foregroundFlags } from "./container.ts";
import { integerFlag, sizeFlag } from "./values.ts";

const image = "IMAGE";
const boot = "BOOT";
const disks = "DISK";
const network = "NETWORK";
const tuning = "TUNING";

/** What `vm create` and `vm debug` take. */
export const vmSpecFlags = {
  name: string({ description: "name of the VM [default: vm- and its id]", helpValue: "NAME" }),
  id: string({
    description: "id of the VM, for a create that can be repeated [default: random]",
    helpValue: "ID",
  }),
  backend: string({ description: "hypervisor backend (SILK_BACKEND)", helpValue: "NAME" }),
  cpus: integerFlag({
    aliases: ["cpu"],
    description: "number of vCPUs (also --cpu) [default: 2]",
    min: 1,
  }),
  memory: sizeFlag({ description: "memory, such as 512M or 2G [default: 1G]" }),
  label: string({
    description: "a label; can be given more than once",
    helpValue: "KEY=VALUE",
    multiple: true,
    multipleNonGreedy: true,
  }),
  pull: option({
    options: ["missing", "always", "never"] as const,
    description:
      "whether the image may be fetched: where it is not here, always, or never [default: missing]",
    helpGroup: image,
  })(),
  user: string({
    description:
      "of a container's image the user who runs the program (NAME|UID[:GROUP]); of a cloud image one to make, with sudo [default: the image's own]",
    helpGroup: image,
    helpValue: "NAME",
  }),
  "ssh-key": string({
    description:
      "a public key, or a file of such, to log in with to a cloud image; can be given more than once",
    helpGroup: image,
    helpValue: "KEY|FILE",
    multiple: true,
    multipleNonGreedy: true,
  }),
  "user-data": string({
    description: "what cloud-init is to do in the guest of a cloud image, - for stdin",
    helpGroup: image,
    helpValue: "FILE",
  }),
  ...containerFlags,
  kernel: string({
    description: "kernel to boot directly, also in the place of an image's own",
    helpGroup: boot,
    helpValue: "FILE",
  }),
  initrd: string({
    aliases: ["initramfs"],
    description: "initial ramdisk of the kernel (also --initramfs)",
    helpGroup: boot,
    helpValue: "FILE",
  }),
  cmdline: string({
    description:
      "command line of the kernel [default: console=hvc0]; with an image, what its kernel is told besides",
    helpGroup: boot,
    helpValue: "TEXT",
  }),
  firmware: string({
    description:
      "UEFI firmware to boot instead of a kernel [default with a cloud image: one that is found]",
    helpGroup: boot,
    helpValue: "FILE",
  }),
  storage: sizeFlag({
    description:
      "size of the VM's own disk, 0 for none [default: 10G with a kernel, 0 with a firmware, what a cloud image has]",
    helpGroup: disks,
  }),
  disk: custom<DiskSpec>({
    description: "an existing disk image to attach; can be given more than once",
    helpGroup: disks,
    helpValue: "PATH[,readonly][,serial=S][,direct=on|off]",
    multiple: true,
    multipleNonGreedy: true,
    parse: async (input) => parseDisk(input),
  })(),
  "data-disk": custom<DataDiskSpec>({
    description: "a disk to make with the VM; can be given more than once",
    helpGroup: disks,
    helpValue: "size=SIZE[,name=N][,fstype=ext4|none][,mount=DIR][,directio=on|off|auto]",
    multiple: true,
    multipleNonGreedy: true,
    parse: async (input) => parseDataDisk(input),
  })(),
  "disk-queue-size": integerFlag({
    description: "depth of each disk queue, a power of two [default: 512]",
    helpGroup: disks,
  }),
  "no-direct-io": boolean({ description: "let the host cache writable disks", helpGroup: disks }),
  nics: integerFlag({
    description: "number of NICs [default: 1 with a bridge or a network, else 0]",
    helpGroup: network,
  }),
  bridge: string({
    description: "a bridge of this host that the NICs are ports of",
    helpGroup: network,
    helpValue: "NAME",
  }),
  network: string({
    description:
      "a CNI network that the NICs are in, instead of a bridge; KIND:NAME for one of a plugin's",
    helpGroup: network,
    helpValue: "NAME",
  }),
  mac: string({
    description:
      "MAC of the first NIC, then of the second, …; can be given more than once [default: random]",
    helpGroup: network,
    helpValue: "MAC",
    multiple: true,
    multipleNonGreedy: true,
  }),
  dns: string({
    description: "a DNS server for the guest of an image; can be given more than once",
    helpGroup: network,
    helpValue: "ADDRESS",
    multiple: true,
    multipleNonGreedy: true,
  }),
  "queue-size": integerFlag({
    description: "depth of each NIC queue, a power of two [default: 512]",
    helpGroup: network,
  }),
  "shared-memory": boolean({
    description: "memory that other processes can map, as shared directories need it",
    helpGroup: tuning,
  }),
  hugepages: boolean({ description: "memory in huge pages", helpGroup: tuning }),
  windows: boolean({ description: "the guest is Windows", helpGroup: tuning }),
};

/** What `vm run` takes. */
export const vmRunFlags = { ...vmSpecFlags, ...foregroundFlags };

/** Something that a kernel must have to boot a container image. */
export interface Requirement {
  readonly module: string;
  readonly config: string;
}

export const requirements: readonly Requirement[] = [
  { module: "virtio_pci", config: "CONFIG_VIRTIO_PCI" },
  { module: "virtio_blk", config: "CONFIG_VIRTIO_BLK" },
  { module: "virtio_console", config: "CONFIG_VIRTIO_CONSOLE" },
  { module: "erofs", config: "CONFIG_EROFS_FS" },
  { module: "overlay", config: "CONFIG_OVERLAY_FS" },
  { module: "ext4", config: "CONFIG_EXT4_FS" },
];

/** What can be told of a kernel whose configuration is there alone: no module brings it. */
export const builtInRequirements: readonly { readonly what: string; readonly config: string }[] = [
  { what: "an initramfs (CONFIG_BLK_DEV_INITRD)", config: "CONFIG_BLK_DEV_INITRD" },
  { what: "devtmpfs (CONFIG_DEVTMPFS)", config: "CONFIG_DEVTMPFS" },
  { what: "compressed EROFS (CONFIG_EROFS_FS_ZIP)", config: "CONFIG_EROFS_FS_ZIP" },
];

/** Loaded where they are there, in this order. Checksums are first: file systems ask for them, and nobody loads them then. */
export const wantedModules: readonly string[] = [
  "crc32c_generic",
  ...requirements.map(({ module }) => module),
  "af_packet",
  "ipv6",
  "virtio_net",
  "virtiofs",
  "vmw_vsock_virtio_transport",
  "virtio_rng",
  "virtio_balloon",
  "virtio_mem",
  "button",
  "evdev",
];

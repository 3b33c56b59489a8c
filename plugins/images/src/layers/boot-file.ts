/** Whether a path of a layer can be a kernel or an initrd: a file of /boot, or of the root, as distributions name them. */
export function isBootFile(path: string): boolean {
  return kernelName.test(path) || initrdName.test(path);
}

const place = "^(?:boot/)?";
// `vmlinuz.old`, `initrd.img-6.1.0-18-amd64.bak`
const notOld = "(?!.*\\.(?:old|bak|dpkg-new|dpkg-bak|rpmsave)$)";

/** Debian: vmlinuz-6.1.0-18-amd64; Arch: vmlinuz-linux; Alpine: vmlinuz-virt; built by hand: vmlinux, bzImage. */
export const kernelName: RegExp = new RegExp(
  `${place}${notOld}(?:vmlinuz|vmlinux|bzImage)(?:-[^/]*)?$`,
);
/** Debian: initrd.img-6.1.0-18-amd64; SUSE: initrd-6.4; Fedora, Arch, Alpine: initramfs-…(.img). */
export const initrdName: RegExp = new RegExp(
  `${place}${notOld}(?:initrd|initramfs)(?:[.-][^/]*)?$`,
);

import { accessSync, constants, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeInitramfs } from "./box/initramfs.ts";
import { findKernel } from "./box/kernel.ts";

/** A Linux to boot directly, or by UEFI: a distribution's kernel and busybox, whose shell is on the console. */
export interface LinuxGuest {
  readonly kernel: string;
  readonly initrd: string;
  readonly cmdline: string;
}

/** Says that the shell is there. */
export const linuxIsUp = "linux is up";

const modules = [
  "virtio_pci",
  "virtio_console",
  "virtio_blk",
  "virtio_net",
  "virtio_balloon",
  "virtiofs",
  "efivarfs",
  // What a press of the power button comes in by.
  "button",
  "evdev",
];

/** Its init: a shell that says nothing of itself, on the terminal that the command line names; and a power button that switches off. */
const init = `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
while read -r module; do insmod "$module"; done </modules
mkdir -p /etc/acpi/PWRF
printf '#!/bin/sh\\nsync\\npoweroff -f\\n' >/etc/acpi/PWRF/00000080
chmod +x /etc/acpi/PWRF/00000080
acpid -d >/tmp/acpid.log 2>&1 &
exec 3<>/dev/"$TTY"
stty -echo -opost <&3
dmesg -n 1
echo "${linuxIsUp}" >&3
while :; do setsid sh <&3 2>&1 | cat >&3; done
`;

/** What a Linux guest is made of; or why there is none here, and what would help. */
export function linuxGuest(
  tty: "hvc0" | "ttyS0" = "hvc0",
): LinuxGuest | { readonly missing: string } {
  const kernel = findKernel();
  if (kernel === undefined)
    return { missing: "/boot has no kernel with modules (linux-image-cloud-amd64)" };
  const busyboxPath = ["/bin/busybox", "/usr/bin/busybox"].find(isStatic);
  if (busyboxPath === undefined)
    return { missing: "there is no busybox without libraries (busybox-static)" };
  const initramfs = makeInitramfs({ kernel, busyboxPath, modules, files: { init } });
  return {
    kernel: kernel.path,
    initrd: keep("linux-guest.cpio.gz", initramfs),
    cmdline: `console=${tty} TTY=${tty} panic=-1 mitigations=off nowatchdog quiet`,
  };
}

function isStatic(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return !readFileSync(path).includes("/ld-linux");
  } catch {
    return false;
  }
}

/** A file that tests share and nobody changes. */
function keep(name: string, content: Buffer): string {
  const directory = fileURLToPath(new URL("../node_modules/.cache/linux", import.meta.url));
  mkdirSync(directory, { recursive: true });
  const path = join(directory, name);
  writeFileSync(`${path}.${process.pid}`, content);
  // Renamed into place: another test may be reading the one that is there.
  renameSync(`${path}.${process.pid}`, path);
  return path;
}

import { virtiofsdName, virtiofsdPlaces } from "@silkvm/virtiofs";
import type { CheckContext } from "../context.ts";
import type { Check } from "../finding.ts";
import { compareVersions, programCheck } from "./program.ts";

export const qemuImg: Check = programCheck({
  id: "qemu-img",
  title: "qemu-img",
  group: "Programs",
  command: "qemu-img",
  package: () => ({ apt: "qemu-utils", other: "qemu-img" }),
  versionArgs: ["--version"],
  version: /qemu-img version (\S+)/,
  missing: "warning",
  why: "It reads the qcow2 files that cloud images are, and makes the disks of their VMs where the file system cannot share blocks.",
});

export const xz: Check = programCheck({
  id: "xz",
  title: "xz",
  group: "Programs",
  command: "xz",
  package: () => ({ apt: "xz-utils", zypper: "xz", other: "xz" }),
  versionArgs: ["--version"],
  version: /xz \(XZ Utils\) (\S+)/,
  missing: "warning",
  why: "It unpacks disks that are published as .xz.",
});

export const mkfsExt4: Check = programCheck({
  id: "mkfs-ext4",
  title: "mkfs.ext4",
  group: "Programs",
  command: "mkfs.ext4",
  package: () => "e2fsprogs",
  versionArgs: ["-V"],
  version: /mke2fs (\S+)/,
  missing: "failed",
  why: "The disks of VMs are formatted with it.",
});

export const mkfsErofs: Check = programCheck({
  id: "mkfs-erofs",
  title: "mkfs.erofs",
  group: "Programs",
  command: "mkfs.erofs",
  package: () => "erofs-utils",
  versionArgs: ["--version"],
  version: /mkfs\.erofs (?:\(erofs-utils\) )?v?(\d[\w.+-]*)/,
  minimum: {
    version: "1.8",
    isEnough: ({ host }) => host.facts.uid === 0,
    meanwhile: "layers are unpacked for it, which only root can do",
    otherwise:
      "Run silk as root, or take erofs-utils 1.8 or newer from a newer release of the distribution, or build it from its sources (https://erofs.docs.kernel.org).",
  },
  missing: "warning",
  why: "The layers of OCI images are made into disks with it; without root only 1.8 or newer can.",
});

export const iproute2: Check = programCheck({
  id: "iproute2",
  title: "iproute2",
  group: "Network",
  command: "ip",
  package: () => ({ dnf: "iproute", other: "iproute2" }),
  versionArgs: ["-V"],
  version: /iproute2-(?:ss)?([\w.]+)/,
  missing: "warning",
  why: "The TAP devices of VMs with NICs are made with its `ip`; the one of busybox does not do.",
});

export const virtiofsd: Check = programCheck({
  id: "virtiofsd",
  title: "virtiofsd",
  group: "Programs",
  command: virtiofsdName,
  places: virtiofsdPlaces,
  named: ({ config }) => (config.virtiofsd === virtiofsdName ? undefined : config.virtiofsd),
  package: virtiofsdPackage,
  versionArgs: ["--version"],
  version: /virtiofsd (?:version |backend )?v?(\d\S*)/,
  missing: "warning",
  why: "Directories of the host are shared with a VM by it (`silk vm fs attach --dir`).",
});

/** Before it was rewritten in Rust it came with QEMU. */
function virtiofsdPackage({ distribution: { id, version } }: CheckContext): string {
  const before = (first: string): boolean =>
    version !== undefined && compareVersions(version, first) < 0;
  const isWithQemu = (id === "debian" && before("13")) || (id === "ubuntu" && before("24.04"));
  return isWithQemu ? "qemu-system-common" : "virtiofsd";
}

import { accessSync, constants, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { canMount } from "../mounts.ts";
import { findRealVmm } from "../real-vmm.ts";
import { findKernel, type Kernel } from "./kernel.ts";

/** What a box is made of. */
export interface BoxParts {
  readonly kernel: Kernel;
  readonly qemuPath: string;
  readonly virtiofsdPath: string;
  readonly busyboxPath: string;
  /** The directory of the real Cloud Hypervisor, whose own host need not have KVM. */
  readonly vmmDir: string;
}

/** Finds what a box is made of; or why there can be none here, and what would help. */
export function findBoxParts(): BoxParts | { readonly missing: string } {
  if (process.arch !== "x64")
    return { missing: `the box is an x86 machine, and this is ${process.arch}` };
  const { chPath, reason } = findRealVmm();
  if (chPath === undefined) return { missing: reason ?? "there is no Cloud Hypervisor" };
  const kernel = findKernel();
  if (kernel === undefined)
    return { missing: "/boot has no kernel with modules (linux-image-cloud-amd64)" };
  const found = programs.map(({ packageName, candidates }) => ({
    packageName,
    path: candidates.find(runs),
    names: candidates.join(" or "),
  }));
  const absent = found.find(({ path }) => path === undefined);
  if (absent !== undefined)
    return { missing: `${absent.names} is not there (${absent.packageName})` };
  if (!canMount) return { missing: "this process may not make a mount namespace" };
  const [qemuPath = "", virtiofsdPath = "", busyboxPath = ""] = found.map(({ path }) => path);
  return { kernel, qemuPath, virtiofsdPath, busyboxPath, vmmDir: dirname(chPath) };
}

const programs = [
  { packageName: "qemu-system-x86", candidates: ["/usr/bin/qemu-system-x86_64"] },
  {
    packageName: "virtiofsd, or qemu-system-common",
    candidates: ["/usr/libexec/virtiofsd", "/usr/lib/qemu/virtiofsd"],
  },
  { packageName: "busybox-static", candidates: ["/bin/busybox", "/usr/bin/busybox"] },
  { packageName: "kmod", candidates: ["/sbin/modprobe"] },
  { packageName: "iproute2", candidates: ["/sbin/ip", "/bin/ip"] },
  { packageName: "xfsprogs", candidates: ["/sbin/mkfs.xfs"] },
];

function runs(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    // A busybox with libraries does not run where only it is.
    return !path.endsWith("/busybox") || isStatic(path);
  } catch {
    return false;
  }
}

function isStatic(path: string): boolean {
  return !readFileSync(path).includes("/ld-linux");
}

import { initrdName, kernelName } from "./boot-file.ts";
import { type Node, nodeAt } from "./inode.ts";

/** A kernel or an initrd that an image has. */
export interface BootFile {
  readonly blobId: string;
  /** Its path in the image. */
  readonly path: string;
  readonly sizeBytes: number;
}

/**
 * The kernel and the initrd of an image, by what its layers come to: what an upper layer replaced or removed is not seen. Of several kernels it is the one that
 * `/boot/vmlinuz` or `/vmlinuz` leads to, else the newest version; the initrd is that of the same version where there is one.
 */
export function findBoot(root: Node): {
  readonly kernel?: BootFile | undefined;
  readonly initrd?: BootFile | undefined;
} {
  const kernels = candidates(root, kernelName);
  const initrds = candidates(root, initrdName);
  const kernel =
    linked(root, ["boot/vmlinuz", "vmlinuz"], kernels) ?? kernels.toSorted(byVersion).at(-1);
  const sameVersion = initrds.filter(
    ({ path }) => kernel !== undefined && versionOf(path) === versionOf(kernel.path),
  );
  const initrd =
    sameVersion[0] ??
    linked(root, ["boot/initrd.img", "initrd.img", "boot/initrd"], initrds) ??
    initrds.toSorted(byVersion).at(-1);
  return { kernel, initrd };
}

function candidates(root: Node, pattern: RegExp): BootFile[] {
  const found: BootFile[] = [];
  for (const directory of ["boot", ""])
    for (const [name, { inode }] of nodeAt(root, directory)?.children ?? []) {
      const path = directory === "" ? name : `${directory}/${name}`;
      const { bootBlobId, sizeBytes } = inode;
      if (bootBlobId !== undefined && sizeBytes > 0 && pattern.test(path))
        found.push({ blobId: bootBlobId, path, sizeBytes });
    }
  return found;
}

/** The candidate that a symlink leads to. */
function linked(
  root: Node,
  paths: readonly string[],
  found: readonly BootFile[],
): BootFile | undefined {
  for (const path of paths) {
    const directory = path.includes("/") ? "boot" : "";
    const target = nodeAt(root, path)?.inode.target;
    if (target === undefined) continue;
    const full = target.startsWith("/") || directory === "" ? target : `${directory}/${target}`;
    const hit = found.find((file) => file.path === full.replace(/^\/+|^\.\//g, ""));
    if (hit !== undefined) return hit;
  }
  return undefined;
}

/** `boot/initrd.img-6.1.0-18-amd64` → `6.1.0-18-amd64` */
function versionOf(path: string): string {
  return /^(?:boot\/)?[A-Za-z]+(?:\.img)?-?(.*?)(?:\.img)?$/.exec(path)?.[1] ?? "";
}

function byVersion(a: BootFile, b: BootFile): number {
  const order = versionOf(a.path).localeCompare(versionOf(b.path), "en", { numeric: true });
  return order === 0 ? a.path.localeCompare(b.path, "en") : order;
}

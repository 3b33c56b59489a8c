import { basename } from "node:path";
import { SilkError } from "../errors.ts";
import type { SnapshotManifest } from "../snapshot/manifest.ts";
import type { Boot } from "../vm/record.ts";
import type { EngineCore } from "./core.ts";

/** A snapshot's manifest with the files of its image where they are on this host. */
export interface FoundBlobs {
  readonly manifest: SnapshotManifest;
  /** From the paths that the snapshot names to those of this host; only those that differ. */
  readonly moved: ReadonlyMap<string, string>;
  /** Paths that the snapshot names, of files that this root has not. */
  readonly missing: readonly string[];
}

/**
 * Finds the files of its image that a snapshot names by paths of the host that it was made on: a blob is known by its id, wherever it is. What it may use of this host,
 * and that it is what the snapshot was made with, is checked elsewhere.
 */
export async function findBlobs(core: EngineCore, manifest: SnapshotManifest): Promise<FoundBlobs> {
  const { config, imageBlobIds } = manifest.vm;
  const blobIds = new Set(imageBlobIds);
  const named = manifest.externals
    .map(({ path }) => path)
    .filter((path) => blobIds.has(basename(path)));
  const { image } = config;
  if (named.length === 0 || image === undefined || !core.knowsImage(image))
    return { manifest, moved: new Map(), missing: [] };
  const source = await core.imageSource(image);
  const moved = new Map<string, string>();
  const missing: string[] = [];
  for (const path of named) {
    const here = await source.blobPath?.(basename(path));
    // A file at that very path may be somebody else's, who removes it without asking us.
    if (here === undefined) missing.push(path);
    else if (here !== path) moved.set(path, here);
  }
  return { manifest: moved.size === 0 ? manifest : placed(manifest, moved), moved, missing };
}

/** What to say of a snapshot whose image is not here. */
export function imageMissing(
  { name, vm: { config } }: SnapshotManifest,
  missing: readonly string[],
): SilkError {
  const { image = "", imageDigest } = config;
  const isPublished =
    /^https?:\/\//.test(image) || imageDigest === undefined || image.includes("@");
  const pinned = isPublished ? image : `${image}@${imageDigest}`;
  return new SilkError(
    `the snapshot "${name}" needs ${missing.length === 1 ? "a file" : `${missing.length} files`} of the image ${image}, which ${missing.length === 1 ? "is" : "are"} not here`,
    {
      code: "IMAGE_MISSING",
      kind: "not-found",
      hint: `Get the image: silk image pull ${pinned} (or import it as it was on the other host)`,
      details: { image, imageDigest, paths: missing },
    },
  );
}

function placed(manifest: SnapshotManifest, moved: ReadonlyMap<string, string>): SnapshotManifest {
  const here = (path: string): string => moved.get(path) ?? path;
  const { vm, externals } = manifest;
  return {
    ...manifest,
    externals: externals.map((external) => ({ ...external, path: here(external.path) })),
    vm: {
      ...vm,
      boot: placedBoot(vm.boot, here),
      disks: vm.disks.map((disk) =>
        disk.file === undefined ? { ...disk, path: here(disk.path) } : disk,
      ),
    },
  };
}

function placedBoot(boot: Boot, here: (path: string) => string): Boot {
  if (boot.kind === "firmware") return boot;
  const { kernelPath, initrdPath } = boot;
  return {
    ...boot,
    kernelPath: here(kernelPath),
    ...(initrdPath === undefined ? {} : { initrdPath: here(initrdPath) }),
  };
}

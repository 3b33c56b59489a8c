import { join } from "node:path";

/** Where the things of images are, below a root directory. */
export interface ImagePaths {
  readonly directory: string;
  readonly databasePath: string;
  /** One byte for each thing that only one may work on at a time. */
  readonly lockPath: string;
  /** Whole files, none of them ever changed: `<digest>.erofs`, `.kernel`, `.initrd`, `.raw`. */
  readonly blobsDir: string;
  /** What has been downloaded, in part or whole, and is not a blob yet. */
  readonly downloadsDir: string;
  /** A directory for each piece of work that is under way. */
  readonly workDir: string;
}

export function imagePaths(rootDir: string): ImagePaths {
  const directory = join(rootDir, "images");
  return {
    directory,
    databasePath: join(directory, "images.db"),
    lockPath: join(directory, "images.lock"),
    blobsDir: join(directory, "blobs"),
    downloadsDir: join(directory, "downloads"),
    workDir: join(directory, "work"),
  };
}

/** `<hex>.erofs`, `<hex>.kernel`, `<hex>.initrd`, `<hex>.raw`; of the boot kit also `<hex>.modules` and `<hex>.busybox` */
export const blobIdPattern: RegExp = /^[0-9a-f]{64}\.(?:erofs|kernel|initrd|raw|modules|busybox)$/;

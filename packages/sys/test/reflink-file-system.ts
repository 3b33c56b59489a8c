import { execFileSync } from "node:child_process";
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { temporaryDirectory } from "./temporary-directory.ts";

/** Whether this machine can make and mount a file system that shares blocks. */
export const hasReflinkFileSystem =
  process.getuid?.() === 0 && succeeds("mkfs.xfs", ["-V"]) && succeeds("losetup", ["--find"]);

/** An empty XFS of its own, mounted from a file; unmounted and removed when its scope ends. */
export function reflinkFileSystem(): Disposable & { readonly path: string } {
  const directory = temporaryDirectory();
  const image = directory.join("image");
  const path = directory.join("mount");
  writeFileSync(image, "");
  truncateSync(image, 320 * 2 ** 20);
  mkdirSync(path);
  execFileSync("mkfs.xfs", ["-q", "-m", "reflink=1", image]);
  execFileSync("mount", ["-o", "loop", image, path]);
  return {
    path,
    [Symbol.dispose]: () => {
      execFileSync("umount", [path]);
      directory[Symbol.dispose]();
    },
  };
}

function succeeds(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { gzipSync } from "node:zlib";
import type { Kernel } from "./kernel.ts";
import { moduleFiles } from "./kernel-modules.ts";

export interface Initramfs {
  readonly kernel: Kernel;
  /** A busybox that needs no library. */
  readonly busyboxPath: string;
  /** Modules that `/modules` names, with all that they need, in the order to insert them. */
  readonly modules: readonly string[];
  /** Programs and other files by their path; those in /bin, and init, can be run. */
  readonly files: Readonly<Record<string, string>>;
}

const directories = ["bin", "dev", "etc", "mnt", "proc", "root", "run", "sys", "tmp"];

/** A root file system for a kernel that is just coming up: busybox, modules, and a few files. */
export function makeInitramfs({ kernel, busyboxPath, modules, files }: Initramfs): Buffer {
  const moduleByName = moduleFiles(kernel, modules).map((path) => [basename(path), path] as const);
  return gzipSync(
    Buffer.concat([
      ...directories.map((name) => entry(name, 0o040755)),
      entry("bin/busybox", 0o100755, readFileSync(busyboxPath)),
      ...moduleByName.map(([name, path]) => entry(name, 0o100644, readFileSync(path))),
      entry("modules", 0o100644, moduleByName.map(([name]) => `/${name}\n`).join("")),
      ...Object.entries(files).map(([path, text]) => entry(path, 0o100755, text)),
      entry("TRAILER!!!", 0),
    ]),
    { level: 1 },
  );
}

/** One entry of a cpio archive in the "newc" form: the only one that the kernel reads. */
function entry(path: string, mode: number, content: string | Buffer = ""): Buffer {
  const name = Buffer.from(`${path}\0`);
  const data = Buffer.from(content);
  const links = 1;
  const fields = [0, mode, 0, 0, links, 0, data.length, 0, 0, 0, 0, name.length, 0];
  const numbers = fields.map((field) => field.toString(16).padStart(8, "0")).join("");
  return Buffer.concat([padded(Buffer.from(`070701${numbers}`), name), padded(data)]);
}

/** These bytes, and zeros up to the next multiple of four. */
function padded(...parts: readonly Buffer[]): Buffer {
  const whole = Buffer.concat(parts);
  return Buffer.concat([whole, Buffer.alloc(-whole.length & 3)]);
}

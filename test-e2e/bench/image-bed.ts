import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { registryMissing, type Registry, startRegistry } from "../src/image-scene.ts";
import { type LayerFiles, writeOciLayout } from "../src/oci-image.ts";
import { cleanEnvironment } from "./program.ts";
import type { SuiteContext } from "./suite.ts";

const MiB = 1024 ** 2;
const smallFileBytes = 8 * 1024;
const largeFileBytes = 16 * MiB;

/** A registry of this machine with images of several sizes in it. */
export interface ImageBed extends AsyncDisposable {
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly registry: Registry;
  /**
   * Makes an image of about so many MiB in five layers, half of what it has compressible, and puts it there.
   * @param smallShare how much of it is in files of 8 KiB; the others have 16 MiB. Default: half
   * @returns its name
   */
  publish(name: string, sizeMib: number, smallShare?: number): Promise<string>;
}

/** @returns nothing where a program is missing, which is said */
export async function makeImageBed({
  dir,
  note,
}: Pick<SuiteContext, "dir" | "note">): Promise<ImageBed | undefined> {
  if (registryMissing !== undefined) {
    note(registryMissing);
    return undefined;
  }
  const registry = await startRegistry(dir);
  return {
    dir,
    env: cleanEnvironment(dir),
    registry,
    publish: async (name, sizeMib, smallShare = 0.5) => {
      const layout = join(dir, `${name}-layout`);
      await mkdir(layout);
      writeOciLayout(layout, layersOf(sizeMib, smallShare), { tag: "1.0" });
      registry.push(layout, `${name}:1.0`);
      return `${registry.host}/${name}:1.0`;
    },
    [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
  };
}

function layersOf(sizeMib: number, smallShare: number): readonly LayerFiles[] {
  return Array.from({ length: 5 }, (_, layer): LayerFiles => {
    const small = (sizeMib * MiB * smallShare) / 5;
    const large = (sizeMib * MiB) / 5 - small;
    const files: Record<string, Buffer> =
      layer === 0
        ? { "boot/vmlinuz-6": Buffer.from("k"), "boot/initrd.img-6": Buffer.from("i") }
        : {};
    for (let at = 0; at < small; at += smallFileBytes)
      files[`usr/lib/${layer}/${Math.floor(at / MiB)}/${at}`] = content(smallFileBytes);
    for (let at = 0; at < large; at += largeFileBytes)
      files[`usr/share/${layer}/${at}`] = content(Math.min(largeFileBytes, large - at));
    return files;
  });
}

/** Half of it as good as random, half of it text. */
function content(bytes: number): Buffer {
  const half = Math.ceil(bytes / 2);
  return Buffer.concat([randomBytes(half), Buffer.alloc(bytes - half, "the quick brown fox ")]);
}

/** Stands in for an `mkfs.erofs` that the counterpart can use, where the one of this host is too old for it: what it is given is read and thrown away. */
export async function emptyMkfs(dir: string): Promise<string> {
  const directory = join(dir, "tools");
  await mkdir(directory, { recursive: true });
  const script = `#!/bin/sh\nfor file; do case $file in /*) truncate -s 64K "$file";; esac; done\nexec cat > /dev/null\n`;
  await writeFile(join(directory, "mkfs.erofs"), script, { mode: 0o755 });
  return directory;
}

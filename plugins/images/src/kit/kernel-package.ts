import type { CallOptions, Host } from "@silkvm/core";
import { ByteSource } from "@silkvm/storage";
import { readFile } from "../files/read-file.ts";
import { readLayer } from "../layers/read-layer.ts";
import { openTar } from "./deb.ts";
import { moduleName } from "./modinfo.ts";
import { isModulePath, type ModuleFiles } from "./module-files.ts";

/** What is of a kernel in a tar, or a package. */
export interface KernelPackage {
  readonly kernel: Buffer | undefined;
  /** The text of its configuration. */
  readonly config: string | undefined;
  readonly modules: ModuleFiles;
}

const kernelFile = /^(?:boot\/|(?:usr\/)?lib\/modules\/[^/]+\/)vmlinuz(?:-[^/]+)?$/;
const configFile = /^(?:boot\/config-[^/]+|(?:usr\/)?lib\/modules\/[^/]+\/config)$/;
const builtInFile = /(?:^|\/)modules\.builtin$/;

/**
 * Opens a tar or a .deb. Nothing is unpacked under a name of its own: its files are read where they are in the archive.
 * @param directory of the caller's own
 * @throws SilkError `LAYER_INVALID`, `MODULES_INVALID`, `XZ_NOT_FOUND`, `IMAGE_TOO_LARGE`, `DISK_FULL`
 */
export async function openKernelPackage(
  host: Host,
  path: string,
  directory: string,
  options: CallOptions,
): Promise<KernelPackage> {
  const tar = await openTar(host, path, directory, options);
  const places = new Map<string, { readonly start: number; readonly sizeBytes: number }>();
  const chunks = readFile(host, tar.path, { ...tar, signal: options.signal });
  try {
    const source = new PositionedSource(chunks);
    for await (const { path: name, inode, linkTo, storedBytes, map } of readLayer(source)) {
      // A sparse file is no part of a kernel.
      if (linkTo === undefined && inode.kind === "file" && map.dataBytes === inode.sizeBytes)
        places.set(name, { start: tar.start + source.position, sizeBytes: inode.sizeBytes });
      for (let left = storedBytes; left > 0;) left -= (await source.need(left)).length;
    }
  } finally {
    await chunks.return(undefined);
  }
  const read = async (name: string): Promise<Buffer> => {
    const place = places.get(name) ?? { start: 0, sizeBytes: 0 };
    return Buffer.from(await host.files.readRange(tar.path, place.start, place.sizeBytes));
  };
  const first = async (pattern: RegExp): Promise<Buffer | undefined> => {
    const name = [...places.keys()].find((one) => pattern.test(one));
    return name === undefined ? undefined : await read(name);
  };
  const builtIn = (await first(builtInFile))?.toString("utf8").split("\n");
  return {
    kernel: await first(kernelFile),
    config: (await first(configFile))?.toString("utf8"),
    modules: {
      paths: new Map(
        [...places.keys()].filter(isModulePath).map((name) => [moduleName(name), name]),
      ),
      builtIn: builtIn && new Set(builtIn.filter((line) => line !== "").map(moduleName)),
      read,
    },
  };
}

/** Knows where it is. */
class PositionedSource extends ByteSource {
  position = 0;

  override async some(most: number): Promise<Buffer | undefined> {
    const bytes = await super.some(most);
    this.position += bytes?.length ?? 0;
    return bytes;
  }
}

import { join } from "node:path";
import { type CallOptions, type Host, SilkError } from "@silkvm/core";
import { unxz } from "../files/unxz.ts";
import { modulesInvalid } from "./errors.ts";
import { moduleName } from "./modinfo.ts";

/** The modules of a kernel, wherever they are. */
export interface ModuleFiles {
  /** Paths by names: for {@link read}. */
  readonly paths: ReadonlyMap<string, string>;
  /** Names of those that are part of the kernel; undefined where nothing tells that. */
  readonly builtIn: ReadonlySet<string> | undefined;
  /** The bytes of one, as they are there. */
  readonly read: (path: string) => Promise<Buffer>;
}

export function isModulePath(path: string): boolean {
  return /\.ko(?:\.(?:xz|zst|gz))?$/.test(path);
}

const deepest = 12;
const largestModuleBytes = 256 * 1024 ** 2;

/** Finds out what modules there are below a directory such as /lib/modules/6.1.0-56-cloud-amd64. */
export async function findModules(
  host: Host,
  directory: string,
  { signal }: CallOptions = {},
): Promise<ModuleFiles> {
  const listed = await readLines(host, join(directory, "modules.dep"));
  const files =
    listed?.map((line) => line.slice(0, line.indexOf(":"))) ??
    (await walk(host, directory, "", 0, signal));
  const builtIn = await readLines(host, join(directory, "modules.builtin"));
  return {
    paths: new Map(
      files.filter(isModulePath).map((file) => [
        moduleName(file),
        // Some distributions list them by their full paths.
        file.startsWith("/") ? file : join(directory, file),
      ]),
    ),
    builtIn: builtIn === undefined ? undefined : new Set(builtIn.map(moduleName)),
    read: (path) => readWhole(host, path),
  };
}

/**
 * The bytes of a module, not compressed.
 * @param directory of the caller's own, for what has to be unpacked by a program
 */
export async function readModule(
  host: Host,
  files: ModuleFiles,
  path: string,
  directory: string,
  { signal }: CallOptions = {},
): Promise<Buffer> {
  const { gunzipSync, zstdDecompressSync } = process.getBuiltinModule("node:zlib");
  const bytes = await files.read(path);
  const options = { maxOutputLength: largestModuleBytes };
  try {
    if (path.endsWith(".gz")) return gunzipSync(bytes, options);
    if (path.endsWith(".zst")) return zstdDecompressSync(bytes, options);
  } catch (error) {
    throw modulesInvalid(`the module ${path} cannot be unpacked`, { cause: error });
  }
  if (!path.endsWith(".xz")) return bytes;
  const packed = join(directory, `${moduleName(path)}.ko.xz`);
  await host.files.writeAtomic(packed, bytes, { mode: 0o600 });
  const unpacked = await unxz(host, packed, {
    what: path,
    mostBytes: largestModuleBytes,
    signal,
  });
  try {
    return await readWhole(host, unpacked);
  } finally {
    await host.files.remove(unpacked);
  }
}

/** @throws SilkError `FILE_NOT_FOUND` */
export async function readWhole(host: Host, path: string): Promise<Buffer> {
  const stat = await host.files.stat(path);
  if (stat === undefined)
    throw new SilkError(`there is no ${path}`, { code: "FILE_NOT_FOUND", kind: "not-found" });
  if (stat.kind !== "file")
    throw new SilkError(`${path} is a ${stat.kind}`, { code: "NOT_A_FILE", kind: "invalid" });
  return Buffer.from(await host.files.readRange(path, 0, stat.sizeBytes));
}

async function readLines(host: Host, path: string): Promise<readonly string[] | undefined> {
  if ((await host.files.stat(path))?.kind !== "file") return undefined;
  return (await host.files.readText(path)).split("\n").filter((line) => line !== "");
}

async function walk(
  host: Host,
  directory: string,
  below: string,
  depth: number,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  signal?.throwIfAborted();
  const found: string[] = [];
  for (const name of await host.files.list(join(directory, below))) {
    const path = join(below, name);
    // `build` and `source` lead to the kernel's sources.
    if (isModulePath(name)) found.push(path);
    else if (depth < deepest && !(depth === 0 && /^(?:build|source)$/.test(name))) {
      const stat = await host.files.stat(join(directory, path));
      if (stat?.kind === "directory")
        found.push(...(await walk(host, directory, path, depth + 1, signal)));
    }
  }
  return found;
}

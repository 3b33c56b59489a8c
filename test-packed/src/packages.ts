import { globSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { run } from "./run.ts";

const root = join(import.meta.dirname, "../..");

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

export interface PublicPackage {
  readonly name: string;
  readonly directory: string;
  /** What a program can import: `@silkvm/core`, `@silkvm/core/errors`, … */
  readonly entryPoints: readonly string[];
}

export interface PackedPackage extends PublicPackage {
  readonly tarball: Buffer;
  /** Names of the files in it. */
  readonly files: readonly string[];
  /** The package.json in it, which is not the one of the workspace. */
  readonly manifest: Manifest;
}

/** The packages of the workspace that are published. */
export const publicPackages: readonly PublicPackage[] = globSync(
  ["packages/*/package.json", "plugins/*/package.json"],
  { cwd: root },
)
  .map((path) => ({
    directory: join(root, dirname(path)),
    manifest: JSON.parse(readFileSync(join(root, path), "utf8")) as Manifest,
  }))
  .filter(({ manifest }) => manifest.private !== true)
  .map(({ directory, manifest }) => ({
    name: manifest.name,
    directory,
    entryPoints: Object.keys(manifest.exports ?? {})
      .filter((key) => key !== "./package.json")
      .map((key) => manifest.name + key.slice(1)),
  }))
  .sort((one, other) => one.name.localeCompare(other.name));

/** Packs a package as it would be published, into a directory. */
export async function pack(of: PublicPackage, directory: string): Promise<PackedPackage> {
  const answer = await run("pnpm", ["pack", "--json", "--pack-destination", directory], {
    cwd: of.directory,
  });
  const { filename, files } = JSON.parse(answer) as {
    readonly filename: string;
    readonly files: readonly { readonly path: string }[];
  };
  const manifest = await run("tar", ["-xzOf", filename, "package/package.json"], {
    cwd: directory,
  });
  return {
    ...of,
    tarball: await readFile(filename),
    files: files.map(({ path }) => path),
    manifest: JSON.parse(manifest) as Manifest,
  };
}

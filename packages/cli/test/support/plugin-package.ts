import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";

const exec = promisify(execFile);

export interface PackageSource {
  readonly name: string;
  readonly version?: string | undefined;
  /** By their paths. */
  readonly files?: Readonly<Record<string, string>> | undefined;
  /** More of package.json. */
  readonly more?: object | undefined;
}

/** Writes a package and gives its directory. */
export async function writePackage(dir: string, source: PackageSource): Promise<string> {
  const { name, version = "1.0.0", files = {}, more = {} } = source;
  const root = join(dir, `${name.replace("/", "+")}-${version}`);
  await mkdir(root, { recursive: true });
  const manifest = { name, version, type: "module", silk: { plugin: "./plugin.js" }, ...more };
  await writeFile(join(root, "package.json"), JSON.stringify(manifest));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

/** Packs a package as its author would, and gives the tarball. */
export async function packPackage(dir: string, source: PackageSource): Promise<string> {
  const root = await writePackage(dir, source);
  const { stdout } = await exec("npm", ["pack", "--silent", "--pack-destination", dir], {
    cwd: root,
  });
  return join(dir, stdout.trim());
}

/** Makes a git repository of a package, and gives what npm installs it from. */
export async function commitPackage(dir: string, source: PackageSource): Promise<string> {
  const root = await writePackage(dir, source);
  const git = (...args: string[]) =>
    exec("git", ["-c", "user.name=a", "-c", "user.email=a@b", ...args], { cwd: root });
  await git("init", "--quiet");
  await git("add", ".");
  await git("commit", "--quiet", "--message", "first");
  return `git+file://${root}`;
}

/** A registry that has these tarballs, by the name and the version in each file's name, the newest last. */
export async function serveRegistry(
  tarballs: readonly { readonly source: PackageSource; readonly path: string }[],
): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? "");
    const found = tarballs.find((tarball) => path === `/-/${basename(tarball.path)}`);
    const answer = async (): Promise<void> => {
      if (found !== undefined) {
        response.end(await readFile(found.path));
        return;
      }
      const versions = tarballs.filter(({ source }) => path === `/${source.name}`);
      const last = versions.at(-1);
      if (last === undefined) {
        response.writeHead(404, { "content-type": "application/json" });
        response.end('{"error":"Not found"}');
        return;
      }
      const described = await Promise.all(
        versions.map(async ({ source: { name, version = "1.0.0" }, path: file }) => {
          const integrity = `sha512-${createHash("sha512")
            .update(await readFile(file))
            .digest("base64")}`;
          const dist = { tarball: `${registry.url}/-/${basename(file)}`, integrity };
          return [version, { name, version, dist }] as const;
        }),
      );
      response.setHeader("content-type", "application/json");
      response.end(
        JSON.stringify({
          name: last.source.name,
          "dist-tags": { latest: last.source.version ?? "1.0.0" },
          versions: Object.fromEntries(described),
        }),
      );
    };
    void answer();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const registry = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return registry;
}

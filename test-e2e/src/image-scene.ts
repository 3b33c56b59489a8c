import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { type LayerFiles, writeOciLayout } from "./oci-image.ts";
import type { Sandbox } from "./sandbox.ts";
import type { Target } from "./targets.ts";

function has(program: string): boolean {
  return spawnSync("which", [program]).status === 0;
}

/** Why no image can be made into disks here. */
export const imagesMissing: string | undefined =
  has("mkfs.erofs") && (process.getuid?.() === 0 || isNew())
    ? undefined
    : "mkfs.erofs is not there, or needs root";
if (imagesMissing !== undefined) console.warn(`skipped: ${imagesMissing}`);

/** Why there is no registry here. */
export const registryMissing: string | undefined =
  has("docker-registry") && has("skopeo") ? undefined : "docker-registry or skopeo is not there";
if (registryMissing !== undefined) console.warn(`skipped in part: ${registryMissing}`);

function isNew(): boolean {
  const { stdout, stderr } = spawnSync("mkfs.erofs", ["-V"], { encoding: "utf8" });
  return /mkfs\.erofs \(erofs-utils\) (?:1\.(?:[89]|\d\d)|[2-9])/.test(`${stdout}${stderr}`);
}

/** Layers of an image of a VM that a target boots. The lowest is the same in all of them. */
export async function vmLayers(target: Target, name: string): Promise<readonly LayerFiles[]> {
  const { boot } = await target.spec();
  return [
    { "etc/os-release": "ID=test\n", "sbin/init": "#!/bin/sh\n" },
    {
      "boot/vmlinuz-6.1.0": await readFile(boot.kernel),
      "boot/initrd.img-6.1.0": "070701: none of the guests here reads it",
    },
    { [`app/${name}`]: Buffer.alloc(3_000_000, name) },
  ];
}

/** An OCI layout with such an image, in a directory of the sandbox. */
export async function writeVmImage(
  sandbox: Sandbox,
  target: Target,
  name: string,
): Promise<{ readonly directory: string; readonly digest: string }> {
  const directory = join(sandbox.dir, `${name}-layout`);
  const digest = writeOciLayout(directory, await vmLayers(target, name), { tag: "1.0" });
  return { directory, digest };
}

/** Names of the blobs that a root has. */
export async function blobsIn({ config }: Sandbox): Promise<readonly string[]> {
  const names = await readdir(join(config.rootDir, "images/blobs")).catch(() => []);
  return names.filter((name) => !name.endsWith(".facts")).toSorted();
}

/** Debian's registry on a port of this machine, until the end of the scope. */
export async function startRegistry(directory: string): Promise<Registry> {
  const port = await freePort();
  const storage = join(directory, "registry");
  mkdirSync(storage, { recursive: true });
  const config = join(directory, "registry.yml");
  writeFileSync(
    config,
    `version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: ${storage}}}\nhttp: {addr: "127.0.0.1:${port}"}\n`,
  );
  const child: ChildProcess = spawn("docker-registry", ["serve", config], { stdio: "ignore" });
  const host = `127.0.0.1:${port}`;
  const deadline = Date.now() + 10_000;
  for (;;) {
    const up = await fetch(`http://${host}/v2/`).then(
      () => true,
      () => false,
    );
    if (up) break;
    if (Date.now() > deadline) throw new Error("the registry does not come up");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    host,
    push: (layout, name) => {
      const to = `docker://${host}/${name}`;
      const args = ["copy", "--quiet", "--dest-tls-verify=false", `oci:${layout}:1.0`, to];
      execFileSync("skopeo", args, { stdio: ["ignore", "ignore", "inherit"] });
    },
    [Symbol.asyncDispose]: async () => {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await ended;
    },
  };
}

export interface Registry extends AsyncDisposable {
  /** `127.0.0.1:41234` */
  readonly host: string;
  /** Puts the image of a layout there. */
  push(layout: string, name: string): void;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

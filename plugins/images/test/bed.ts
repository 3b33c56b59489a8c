import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { linuxHost } from "@silkvm/sys";
import { type Images, type ImagesOptions, openImages } from "../src/index.ts";

/** Whether a program is there. */
export function has(program: string): boolean {
  return spawnSync("which", [program]).status === 0;
}

export const isRoot = process.getuid?.() === 0;
/** Layers can be converted here. */
export const canConvert = has("mkfs.erofs") && (isRoot || mkfsIsNew());
export const canMount = canConvert && isRoot && canMountErofs();
export const hasRegistry = has("docker-registry") && has("skopeo");
if (!canConvert) console.warn("skipped: mkfs.erofs is not there, or needs root");
if (!canMount) console.warn("skipped in part: EROFS cannot be mounted here");
if (!hasRegistry) console.warn("skipped in part: docker-registry and skopeo are not installed");

function mkfsIsNew(): boolean {
  const { stdout, stderr } = spawnSync("mkfs.erofs", ["-V"], { encoding: "utf8" });
  return /mkfs\.erofs \(erofs-utils\) (?:1\.(?:[89]|\d\d)|[2-9])/.test(`${stdout}${stderr}`);
}

function canMountErofs(): boolean {
  const directory = mkdtempSync(join(tmpdir(), "silk-erofs-"));
  try {
    const image = join(directory, "probe.erofs");
    mkdirSync(join(directory, "root"));
    mkdirSync(join(directory, "mount"));
    if (spawnSync("mkfs.erofs", ["--quiet", image, join(directory, "root")]).status !== 0)
      return false;
    if (
      spawnSync("mount", ["-t", "erofs", "-o", "loop,ro", image, join(directory, "mount")])
        .status !== 0
    )
      return false;
    spawnSync("umount", [join(directory, "mount")]);
    return true;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** A directory of a test's own, and images in it. */
export class Bed implements AsyncDisposable {
  readonly directory: string;
  readonly rootDir: string;
  readonly images: Images;
  readonly #cleanups: (() => void | Promise<void>)[] = [];

  constructor(
    given: Partial<ImagesOptions> | ((directory: string) => Partial<ImagesOptions>) = {},
  ) {
    this.directory = mkdtempSync(join(tmpdir(), "silk-images-"));
    this.rootDir = join(this.directory, "root");
    this.images = this.open(typeof given === "function" ? given(this.directory) : given);
  }

  open(options: Partial<ImagesOptions> = {}): Images {
    return openImages({
      host: linuxHost(),
      rootDir: this.rootDir,
      http: { backoffMs: 5, stallTimeoutMs: 2_000 },
      environment: {},
      ...options,
    });
  }

  path(...names: readonly string[]): string {
    return join(this.directory, ...names);
  }

  blob(id: string): string {
    return join(this.rootDir, "images/blobs", id);
  }

  defer(cleanup: () => void | Promise<void>): void {
    this.#cleanups.unshift(cleanup);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.images[Symbol.asyncDispose]();
    for (const cleanup of this.#cleanups) await cleanup();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export function run(command: string, ...args: readonly string[]): string {
  return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Debian's registry on a port of this machine. */
export async function startRegistry(bed: Bed, auth = ""): Promise<string> {
  const port = await freePort();
  const storage = bed.path("registry");
  mkdirSync(storage, { recursive: true });
  const config = bed.path("registry.yml");
  writeFileSync(
    config,
    `version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: ${storage}}}\nhttp: {addr: "127.0.0.1:${port}"}\n${auth}`,
  );
  const child: ChildProcess = spawn("docker-registry", ["serve", config], { stdio: "ignore" });
  bed.defer(() => void child.kill("SIGKILL"));
  const host = `127.0.0.1:${port}`;
  const deadline = Date.now() + 10_000;
  for (;;) {
    const up = await fetch(`http://${host}/v2/`).then(
      () => true,
      () => false,
    );
    if (up) return host;
    if (Date.now() > deadline) throw new Error("the registry does not come up");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Mounts what an image's layers come to, as a guest would, and hands over where. */
export function mountStack(bed: Bed, blobIds: readonly string[]): string {
  const base = mkdtempSync(bed.path("stack-"));
  const lowers = blobIds.map((id, index) => {
    const at = join(base, `l${index}`);
    mkdirSync(at);
    run("mount", "-t", "erofs", "-o", "loop,ro", bed.blob(id), at);
    bed.defer(() => void spawnSync("umount", [at]));
    return at;
  });
  const cow = join(base, "cow");
  mkdirSync(cow);
  run("mount", "-t", "tmpfs", "tmpfs", cow);
  bed.defer(() => void spawnSync("umount", [cow]));
  for (const name of ["upper", "work", "root"]) mkdirSync(join(cow, name));
  const root = join(cow, "root");
  // The root is the upper directory's own.
  run("chmod", "--reference", lowers.at(-1) ?? "", join(cow, "upper"));
  run("chown", "--reference", lowers.at(-1) ?? "", join(cow, "upper"));
  run(
    "mount",
    "-t",
    "overlay",
    "overlay",
    "-o",
    `lowerdir=${lowers.toReversed().join(":")},upperdir=${join(cow, "upper")},workdir=${join(cow, "work")},index=on,redirect_dir=on,metacopy=on,xino=on`,
    root,
  );
  bed.defer(() => void spawnSync("umount", [root]));
  return root;
}

export interface SeenFile {
  readonly mode: string;
  readonly owner: string;
  readonly what: string;
  readonly mtime: string;
  readonly links: number;
  readonly xattrs: string;
}

/** Everything below a directory, by its path, as far as a program in it could tell. Names and attributes are bytes, so Python looks. */
export function look(directory: string): Readonly<Record<string, SeenFile>> {
  const script = `
import os, sys, json, stat, hashlib
root = os.fsencode(sys.argv[1]); seen = {}
def see(path):
    s = os.lstat(path); k = stat.S_IFMT(s.st_mode)
    what = {stat.S_IFREG: 'file', stat.S_IFDIR: 'directory', stat.S_IFLNK: 'symlink', stat.S_IFCHR: 'char', stat.S_IFBLK: 'block', stat.S_IFIFO: 'fifo'}[k]
    if k == stat.S_IFREG:
        with open(path, 'rb') as f: what += ' %d %s' % (s.st_size, hashlib.file_digest(f, 'sha256').hexdigest())
    if k == stat.S_IFLNK: what += ' ' + os.readlink(path).decode('latin1')
    if k in (stat.S_IFCHR, stat.S_IFBLK): what += ' %d:%d' % (os.major(s.st_rdev), os.minor(s.st_rdev))
    x = {n: os.getxattr(path, n, follow_symlinks=False).hex() for n in os.listxattr(path, follow_symlinks=False) if not n.startswith('trusted.overlay.')}
    rel = os.path.relpath(path, root).decode('latin1')
    seen[rel] = dict(mode=oct(s.st_mode & 0o7777), owner='%d:%d' % (s.st_uid, s.st_gid), what=what, mtime=str(s.st_mtime_ns), links=0 if k == stat.S_IFDIR else s.st_nlink, xattrs=json.dumps(x, sort_keys=True))
    if k == stat.S_IFDIR:
        for n in sorted(os.listdir(path)): see(os.path.join(path, n))
see(root); print(json.dumps(seen))`;
  return JSON.parse(
    execFileSync("python3", ["-c", script, directory], { encoding: "utf8", maxBuffer: 2 ** 28 }),
  ) as Record<string, SeenFile>;
}

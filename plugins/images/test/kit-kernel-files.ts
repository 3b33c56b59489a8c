import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Bed } from "./bed.ts";

/** The version of a kernel of this machine with its modules; undefined where there is none. */
export const realVersion: string | undefined = existsSync("/boot")
  ? readdirSync("/boot")
      .filter((name) => name.startsWith("vmlinuz-") && !name.endsWith(".old"))
      .map((name) => name.slice("vmlinuz-".length))
      .find((version) => existsSync(`/lib/modules/${version}/modules.dep`))
  : undefined;
if (realVersion === undefined) console.warn("skipped: there is no kernel with modules in /boot");

const needed =
  /^(?:crc32c_generic|libcrc32c|erofs|overlay|virtio.*|failover|net_failover|af_packet|fuse|evdev|button|vsock|vmw_vsock_virtio_transport.*|rng-core)$/;

/** Lays out a kernel of this machine as a package has it, with those of its modules that a boot needs, compressed or not. @returns the directory of its modules */
export function layOutKernel(root: string, compression: "" | ".xz" | ".zst" | ".gz" = ""): string {
  const version = realVersion ?? "";
  const from = `/lib/modules/${version}`;
  const to = join(root, "lib/modules", version);
  mkdirSync(join(root, "boot"), { recursive: true });
  mkdirSync(to, { recursive: true });
  copyFileSync(`/boot/vmlinuz-${version}`, join(root, "boot", `vmlinuz-${version}`));
  if (existsSync(`/boot/config-${version}`))
    copyFileSync(`/boot/config-${version}`, join(root, "boot", `config-${version}`));
  copyFileSync(join(from, "modules.builtin"), join(to, "modules.builtin"));
  for (const line of readFileSync(join(from, "modules.dep"), "utf8").split("\n")) {
    const file = line.slice(0, line.indexOf(":"));
    const [, name, packed = ""] = /([^/]+)\.ko(\.\w+)?$/.exec(file) ?? [];
    if (name === undefined || !needed.test(name)) continue;
    const target = join(to, file);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(join(from, file), target);
    // What is packed already stays as it is.
    if (packed !== "" || compression === "") continue;
    const program = { ".xz": ["xz"], ".gz": ["gzip"], ".zst": ["zstd", "-q", "--rm"] }[compression];
    execFileSync(program[0] ?? "", [...program.slice(1), target]);
  }
  return to;
}

/** Packs what {@link layOutKernel} has laid out. */
export function makeDeb(bed: Bed, root: string, compression: string): string {
  mkdirSync(join(root, "DEBIAN"), { recursive: true });
  writeFileSync(
    join(root, "DEBIAN/control"),
    "Package: linux-image-test\nVersion: 1\nArchitecture: amd64\nMaintainer: nobody <nobody@example.org>\nDescription: a kernel\n",
  );
  const path = bed.path(`kernel-${compression}.deb`);
  execFileSync(
    "dpkg-deb",
    ["--root-owner-group", `-Z${compression}`, "-z1", "--build", root, path],
    {
      stdio: "ignore",
    },
  );
  return path;
}

const all = ["VIRTIO_PCI", "VIRTIO_BLK", "VIRTIO_CONSOLE", "EROFS_FS", "OVERLAY_FS", "EXT4_FS"];
const others = ["BLK_DEV_INITRD", "DEVTMPFS", "EROFS_FS_ZIP"];

/** The configuration of a kernel with everything built in, but for some. */
export function kernelConfig(without: readonly string[] = []): string {
  return [...all, ...others]
    .map((name) => (without.includes(name) ? `# CONFIG_${name} is not set` : `CONFIG_${name}=y`))
    .join("\n");
}

/** The beginning of a bzImage: no more than what is read of one before it boots. */
export function bzImage(version: string, options: { readonly has64?: boolean } = {}): Buffer {
  const image = Buffer.alloc(0x3000);
  image.write("HdrS", 0x202, "latin1");
  image.writeUInt16LE(0x20f, 0x206);
  image.writeUInt16LE(0x800, 0x20e);
  image.writeUInt16LE(options.has64 === false ? 0 : 1, 0x236);
  image.write(`${version} (builder@host) #1 SMP\0`, 0x800 + 0x200, "latin1");
  return image;
}

/** The beginning of a vmlinux that carries its configuration. */
export function vmlinux(version: string, machine: number, config?: string): Buffer {
  const head = Buffer.alloc(64);
  head.write("\x7fELF\x02\x01\x01", 0, "latin1");
  head.writeUInt16LE(machine, 18);
  const parts = [head, Buffer.from(`Linux version ${version} (builder@host)\n\0`)];
  if (config !== undefined)
    parts.push(Buffer.from("IKCFG_ST"), gzipSync(config), Buffer.from("IKCFG_ED"));
  return Buffer.concat(parts);
}

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeInitramfs } from "./initramfs.ts";
import { vmlinuxOf } from "./kernel.ts";
import type { BoxParts } from "./needs.ts";

const read = (name: string): string =>
  readFileSync(fileURLToPath(new URL(name, import.meta.url)), "utf8");

const modules = [
  "virtio_pci",
  "virtio_net",
  "virtio_blk",
  "virtio_console",
  "virtio_rng",
  "erofs",
  "overlay",
  "ext4",
];

/** An image of a Linux with a kernel of its own, as an OCI layout. */
export interface LayeredImage extends Disposable {
  /** The directory of the layout. */
  readonly path: string;
  /** Its name in there. */
  readonly name: string;
}

/**
 * Makes an image of two layers, as published ones are made: the lower has a kernel, an initramfs that stacks them, and the system of the box's guests;
 * the upper replaces one file, removes one, and adds one.
 */
export function makeLayeredImage({
  kernel,
  busyboxPath,
}: Pick<BoxParts, "kernel" | "busyboxPath">): LayeredImage {
  const path = mkdtempSync(join(tmpdir(), "silk-layers-"));
  const init = { init: read("layered-init.sh") };
  const lower = layerOf(path, {
    [`boot/vmlinuz-${kernel.release}`]: vmlinuxOf(kernel),
    [`boot/initrd.img-${kernel.release}`]: makeInitramfs({
      kernel,
      busyboxPath,
      modules,
      files: init,
    }),
    "bin/busybox": readFileSync(busyboxPath),
    "sbin/init": read("guest-init.sh"),
    // What it needs its initramfs has loaded.
    modules: "",
    "etc/replaced": "lower\n",
    "etc/removed": "lower\n",
    ...Object.fromEntries(
      ["dev", "proc", "root", "sys", "tmp"].map((name) => [`${name}/.keep`, ""]),
    ),
  });
  const upper = layerOf(path, {
    "etc/replaced": "upper\n",
    "etc/.wh.removed": "",
    "srv/added": "upper\n",
  });
  const name = "acme/box:1";
  writeLayout(path, name, [lower, upper]);
  return { path, name, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** The tar of a layer of files, all of which can be run. */
function layerOf(beside: string, files: Readonly<Record<string, string | Buffer>>): Buffer {
  const root = mkdtempSync(join(beside, "layer-"));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content, { mode: 0o755 });
  }
  const owners = ["--owner=0", "--group=0", "--numeric-owner"];
  const tar = execFileSync("tar", ["-c", ...owners, "-C", root, "."], { maxBuffer: 2 ** 30 });
  rmSync(root, { recursive: true });
  return tar;
}

function writeLayout(directory: string, name: string, layers: readonly Buffer[]): void {
  mkdirSync(join(directory, "blobs/sha256"), { recursive: true });
  const put = (kind: string, bytes: Buffer) => {
    const hex = createHash("sha256").update(bytes).digest("hex");
    writeFileSync(join(directory, "blobs/sha256", hex), bytes);
    const mediaType = `application/vnd.oci.image.${kind}`;
    return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
  };
  const json = (value: object): Buffer => Buffer.from(JSON.stringify(value));
  const descriptors = layers.map((tar) => put("layer.v1.tar", tar));
  const config = put(
    "config.v1+json",
    json({
      architecture: "amd64",
      os: "linux",
      config: {},
      rootfs: { type: "layers", diff_ids: descriptors.map(({ digest }) => digest) },
    }),
  );
  const manifest = put("manifest.v1+json", json({ schemaVersion: 2, config, layers: descriptors }));
  const annotations = { "org.opencontainers.image.ref.name": name };
  const index = { schemaVersion: 2, manifests: [{ ...manifest, annotations }] };
  writeFileSync(join(directory, "index.json"), JSON.stringify(index));
  writeFileSync(join(directory, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
}

import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";

const manifestType = "application/vnd.oci.image.manifest.v1+json";
const configType = "application/vnd.oci.image.config.v1+json";
const layerType = "application/vnd.oci.image.layer.v1.tar+gzip";

/** An image registry on this host with one image in it. */
export interface ServedImage extends AsyncDisposable {
  /** How to name the image to whoever pulls it. */
  readonly reference: string;
}

/**
 * Serves an image of one layer that has nothing but a kernel and an initial RAM disk in `/boot`.
 * @param port default: any that is free
 */
export async function serveImage(
  kernel: Buffer,
  { port = 0 }: { readonly port?: number } = {},
): Promise<ServedImage> {
  const layer = Buffer.concat([
    tarEntry("boot/vmlinuz", kernel),
    tarEntry("boot/initrd.img", Buffer.alloc(512)),
    Buffer.alloc(1024),
  ]);
  const packed = gzipSync(layer);
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === "x64" ? "amd64" : process.arch,
      os: "linux",
      config: {},
      rootfs: { type: "layers", diff_ids: [digestOf(layer)] },
    }),
  );
  const described = (mediaType: string, blob: Buffer): object => ({
    mediaType,
    size: blob.length,
    digest: digestOf(blob),
  });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: described(configType, config),
      layers: [described(layerType, packed)],
    }),
  );
  const blobs = new Map([config, packed, manifest].map((blob) => [digestOf(blob), blob]));

  const server = createServer(({ url = "", method }, response) => {
    const last = url.split("/").at(-1) as string;
    const isManifest = url.includes("/manifests/");
    const blob = isManifest && !last.startsWith("sha256:") ? manifest : blobs.get(last);
    if (url === "/v2/") response.writeHead(200).end();
    else if (blob === undefined) response.writeHead(404).end();
    else {
      response.writeHead(200, {
        "Content-Type": isManifest ? manifestType : "application/octet-stream",
        "Content-Length": blob.length,
        "Docker-Content-Digest": digestOf(blob),
      });
      response.end(method === "HEAD" ? undefined : blob);
    }
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const { port: used } = server.address() as AddressInfo;
  return {
    reference: `localhost:${used}/silk-guest:1`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function digestOf(blob: Buffer): string {
  return `sha256:${createHash("sha256").update(blob).digest("hex")}`;
}

/** A file in a tar, with the header that every reader knows. */
function tarEntry(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write("0000644\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136);
  header.write("        0ustar\u000000", 148);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

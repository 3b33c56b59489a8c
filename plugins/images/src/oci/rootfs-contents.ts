import type { CallOptions, Host } from "@silkvm/core";
import { digestOf, hashFor } from "../digest.ts";
import { readFile } from "../files/read-file.ts";
import type { ImageContents } from "./contents.ts";
import { decompressLayer } from "./decompress.ts";

/** An image of one layer: a root directory as a tar, such as `docker export` and debootstrap's users make. */
export async function openRootfs(
  host: Host,
  path: string,
  {
    what,
    architecture,
    signal,
  }: CallOptions & { readonly what: string; readonly architecture: string },
): Promise<ImageContents> {
  const hash = hashFor(`sha256:${"0".repeat(64)}`);
  for await (const bytes of decompressLayer(readFile(host, path, { signal }))) hash.update(bytes);
  const diffId = `sha256:${hash.digest("hex")}`;
  return {
    // There is no manifest: the content is what it is known by.
    digest: digestOf(Buffer.from(`silk rootfs\n${architecture}\n${diffId}`)),
    config: { architecture, os: "linux", rootfs: { diff_ids: [diffId] } },
    layers: [{ digest: diffId, diffId, sizeBytes: 0 }],
    what,
    names: [],
    obtain: async () => ({ path, checked: true }),
    release: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}

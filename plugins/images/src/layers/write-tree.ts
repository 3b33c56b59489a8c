import type { CallOptions, Host } from "@silkvm/core";
import { readFile } from "../files/read-file.ts";
import { SequentialWriter } from "../files/sequential-writer.ts";
import type { Inode, Node } from "./inode.ts";
import { writeEnd, writeHeader, writePadding } from "./tar-writer.ts";

/** Writes a layer's tree as an archive, in the order of its names, with the data from an archive that was written before. */
export async function writeTree(
  host: Host,
  path: string,
  root: Node,
  from: { readonly tarPath: string; readonly dataAt: ReadonlyMap<Inode, number> },
  { signal }: CallOptions,
): Promise<void> {
  await using file = await host.files.open(path, "create");
  const writer = new SequentialWriter(file);
  const first = new Map<Inode, string>();
  const put = async (at: string, node: Node): Promise<void> => {
    signal?.throwIfAborted();
    const { inode } = node;
    const start = from.dataAt.get(inode);
    const linkTo = start === undefined ? undefined : first.get(inode);
    await writeHeader(writer, at, inode, { linkTo, opaque: node.opaque });
    if (linkTo === undefined && start !== undefined) {
      first.set(inode, at);
      if (inode.kind === "file") {
        const end = start + inode.sizeBytes;
        for await (const bytes of readFile(host, from.tarPath, { start, end, signal }))
          await writer.write(bytes);
        await writePadding(writer, inode.sizeBytes);
      }
    }
    for (const name of [...(node.children?.keys() ?? [])].sort()) {
      const child = node.children?.get(name);
      if (child === undefined) continue;
      // A whiteout in a directory that hides all below has nothing to hide.
      if (node.opaque && child.inode.kind === "whiteout") node.children?.delete(name);
      else await put(at === "" ? name : `${at}/${name}`, child);
    }
  };
  await put("", root);
  await writeEnd(writer);
  await writer.finish();
}

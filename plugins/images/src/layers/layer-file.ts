import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import type { Host } from "@silkvm/core";
import * as v from "valibot";
import { directoryNode, type Inode, type Node } from "./inode.ts";
import type { Assumptions } from "./layer-tree.ts";

/** What is remembered of a converted layer beside its file system. */
export interface LayerFacts {
  readonly diffId: string;
  readonly assumptions: Assumptions;
  readonly bootBlobIds: readonly string[];
  /** Its tree. */
  readonly root: Node;
}

const currentVersion = 1;
const pieceLength = 64 * 1024;
const names = v.array(v.string());
const schema = v.object({
  version: v.literal(currentVersion),
  diffId: v.string(),
  assumptions: v.object({ undescribed: names, removed: names }),
  bootBlobIds: names,
  root: v.unknown(),
});

/** `[inode, opaque, children]`, children by their names. */
type Packed = readonly [Inode, 0 | 1, Readonly<Record<string, Packed>> | 0];

/** What is remembered of a layer, as a file's content: what overlays it needs to know of its names, and no data. */
export async function packLayer({ root, ...facts }: LayerFacts): Promise<Uint8Array> {
  const { createZstdCompress } = process.getBuiltinModule("node:zlib");
  const head = JSON.stringify({ ...facts, version: currentVersion }).slice(0, -1);
  // Piece by piece: a layer of a million files is never held as a text.
  return await pipeline(
    inPieces([`${head},"root":`], packNode(root), ["}"]),
    createZstdCompress(),
    buffer,
  );
}

function* inPieces(...texts: readonly Iterable<string>[]): Generator<Buffer> {
  let piece = "";
  for (const text of texts)
    for (const part of text) {
      piece += part;
      if (piece.length < pieceLength) continue;
      yield Buffer.from(piece);
      piece = "";
    }
  yield Buffer.from(piece);
}

/** @param layer the blob that the facts are of */
export async function readLayerFacts(host: Host, path: string, layer: string): Promise<LayerFacts> {
  const { zstdDecompress } = process.getBuiltinModule("node:zlib");
  const stat = await host.files.stat(path);
  const bytes = await host.files.readRange(path, 0, stat?.sizeBytes ?? 0);
  const text = (await promisify(zstdDecompress)(bytes)).toString("utf8");
  const facts = v.parse(schema, JSON.parse(text));
  return { ...facts, root: unpackNode(facts.root as Packed, layer) };
}

function* packNode({ inode, opaque, children }: Node): Generator<string> {
  yield `[${JSON.stringify(inode)},${opaque ? 1 : 0},`;
  if (children === undefined) yield "0]";
  else {
    let before = "{";
    for (const [name, node] of children) {
      yield `${before}${JSON.stringify(`/${name}`)}:`;
      yield* packNode(node);
      before = ",";
    }
    yield children.size === 0 ? "{}]" : "}]";
  }
}

function unpackNode([inode, opaque, children]: Packed, layer: string): Node {
  if (children === 0) return { inode, opaque: opaque === 1, children: undefined, layer };
  const node = directoryNode(inode, layer);
  node.opaque = opaque === 1;
  // The slash keeps names like `__proto__` and numbers what they are, in their order.
  for (const [name, child] of Object.entries(children))
    node.children?.set(name.slice(1), unpackNode(child, layer));
  return node;
}

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
export async function packLayer(facts: LayerFacts): Promise<Uint8Array> {
  const { zstdCompress } = process.getBuiltinModule("node:zlib");
  const text = JSON.stringify({ ...facts, version: currentVersion, root: packNode(facts.root) });
  return await promisify(zstdCompress)(text);
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

function packNode({ inode, opaque, children }: Node): Packed {
  return [
    inode,
    opaque ? 1 : 0,
    children === undefined
      ? 0
      : Object.fromEntries([...children].map(([name, node]) => [`/${name}`, packNode(node)])),
  ];
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

import type * as Crypto from "node:crypto";
import { join } from "node:path";
import { type CallOptions, type Host, isSilkError, SilkError } from "@silkvm/core";
import { ByteSource } from "@silkvm/storage";
import { layerInvalid, shown } from "../errors.ts";
import { SequentialWriter } from "../files/sequential-writer.ts";
import type { KeptBootFile } from "./boot-file-writer.ts";
import { directoryNode, type Inode, namesOf, type Node, numberLinks, whiteout } from "./inode.ts";
import { LayerBudget, type LayerLimits } from "./layer-limits.ts";
import { LayerOutput } from "./layer-output.ts";
import { type Assumptions, LayerTree, type Place } from "./layer-tree.ts";
import { type LayerEntry, readLayer } from "./read-layer.ts";
import { readWhiteout } from "./whiteout-name.ts";
import { writeTree } from "./write-tree.ts";

export interface FlattenRequest extends CallOptions {
  /** The layer's archive, uncompressed. */
  readonly archive: AsyncIterable<Uint8Array>;
  /** What the layers below come to; undefined for the first layer. */
  readonly below: Node | undefined;
  /** A directory of the caller's own: `layer.tar` and the files of /boot are put into it. */
  readonly directory: string;
  readonly limits: LayerLimits;
  /** The bytes of a file of a layer below, for a hard link to it. */
  readonly readBelow: (layer: string, path: string) => AsyncIterable<Uint8Array>;
}

/** A layer that is ready to become a file system: nothing in it depends on what unpacks it. */
export interface FlatLayer {
  /** An archive in which each path is once, below directories that are all there, with whiteouts as overlayfs wants them. */
  readonly tarPath: string;
  readonly tree: Node;
  readonly assumptions: Assumptions;
  readonly dependsOnBelow: boolean;
  readonly bootFiles: readonly KeptBootFile[];
  /** SHA-256 of the archive as it came. */
  readonly diffId: string;
  /** The latest time in it, in seconds since 1970. */
  readonly latestSeconds: number;
}

/**
 * Reads a layer and writes it again as an archive that can be handed to any program: no path leads elsewhere, none is there twice, each has its
 * directory before it, and what it removes from the layers below is said in overlayfs's way.
 * @throws SilkError `LAYER_INVALID`, `IMAGE_TOO_LARGE`, `DISK_FULL`
 */
export async function flattenLayer(host: Host, request: FlattenRequest): Promise<FlatLayer> {
  const tarPath = join(request.directory, "layer.tar");
  await using file = await host.files.open(tarPath, "create");
  const output = new LayerOutput(host, request.directory, new SequentialWriter(file));
  const flattening = new Flattening(request, output);
  try {
    await flattening.read();
  } catch (error) {
    if (isSilkError(error) && error.code === "ARCHIVE_INVALID")
      throw layerInvalid(error.message.replace(/^the archive is not valid: /, ""), error);
    throw error;
  }
  const { tree, dirty, linked } = flattening;
  const finalPath = dirty ? join(request.directory, "layer-2.tar") : tarPath;
  if (dirty) {
    await writeTree(host, finalPath, tree.root, { tarPath, dataAt: output.dataAt }, request);
    await host.files.remove(tarPath);
  }
  numberLinks(tree.root, linked);
  return {
    tarPath: finalPath,
    tree: tree.root,
    assumptions: tree.assumptions(),
    dependsOnBelow: tree.dependsOnBelow,
    bootFiles: output.boot.kept,
    diffId: flattening.digest,
    latestSeconds: output.latestSeconds,
  };
}

class Flattening {
  readonly tree: LayerTree;
  /** Files that have several names. */
  readonly linked = new Set<Inode>();
  /** Whether something was written that is not so any more. */
  dirty = false;
  digest = "";
  readonly #request: FlattenRequest;
  readonly #output: LayerOutput;
  readonly #budget: LayerBudget;
  readonly #hash: Crypto.Hash = process.getBuiltinModule("node:crypto").createHash("sha256");
  #hasRoot = false;
  #source!: ByteSource;

  constructor(request: FlattenRequest, output: LayerOutput) {
    this.#request = request;
    this.#output = output;
    this.#budget = new LayerBudget(request.limits);
    this.tree = new LayerTree(request.below, "");
  }

  async read(): Promise<void> {
    const { archive, signal } = this.#request;
    const chunks = this.#hashed(archive);
    this.#source = new ByteSource(chunks);
    try {
      for await (const entry of readLayer(this.#source)) {
        signal?.throwIfAborted();
        await this.#take(entry);
      }
      // What comes behind the end counts for the digest all the same.
      while ((await this.#source.some(2 ** 20)) !== undefined) signal?.throwIfAborted();
    } finally {
      await chunks.return(undefined);
    }
    this.digest = this.#hash.digest("hex");
    await this.#beginRoot();
    await this.#output.end();
  }

  async *#hashed(archive: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of archive) {
      this.#budget.archive(chunk.length);
      this.#hash.update(chunk);
      yield chunk;
    }
  }

  async #take(entry: LayerEntry): Promise<void> {
    this.#budget.unpacked(entry.inode.sizeBytes);
    this.#budget.entry();
    if (entry.path === "") return await this.#root(entry);
    await this.#beginRoot();
    const place = await this.#place(entry.path);
    const removed = readWhiteout(place);
    if (removed !== undefined) {
      await this.#skipData(entry);
      if (removed === "opaque") this.#hideAll(place.parent);
      else if (removed !== "nothing") await this.#hide(removed);
    } else if (entry.inode.kind === "char" && isZeroDevice(entry.inode)) await this.#hide(place);
    else if (entry.linkTo !== undefined) await this.#link(place, entry, entry.linkTo);
    else if (entry.inode.kind === "directory") await this.#putDirectory(place, entry);
    else await this.#putFile(place, entry);
  }

  #place(path: string): Promise<Place> {
    return this.tree.place(path, async (at, node) => {
      // There was a whiteout in its place.
      if (node.opaque) this.dirty = true;
      await this.#output.header(at, node.inode, { opaque: node.opaque });
    });
  }

  async #beginRoot(): Promise<void> {
    if (this.#hasRoot) return;
    this.#hasRoot = true;
    await this.#output.header("", this.tree.root.inode);
  }

  async #root(entry: LayerEntry): Promise<void> {
    await this.#skipData(entry);
    if (entry.inode.kind !== "directory") throw layerInvalid("its root is no directory");
    this.tree.root.inode = entry.inode;
    this.tree.described("");
    this.#output.time(entry.inode);
    if (this.#hasRoot) this.dirty = true;
    else await this.#beginRoot();
  }

  async #putDirectory({ parent, name, path, below }: Place, entry: LayerEntry): Promise<void> {
    const old = parent.children?.get(name);
    if (old !== undefined) this.dirty = true;
    const node: Node = old?.inode.kind === "directory" ? old : directoryNode(entry.inode, "");
    // What was removed and made anew hides what was there.
    if (old?.inode.kind === "whiteout") node.opaque = below?.children?.has(name) === true;
    node.inode = entry.inode;
    parent.children?.set(name, node);
    this.tree.described(path);
    await this.#output.header(path, entry.inode, { opaque: node.opaque });
    await this.#skipData(entry);
  }

  async #putFile({ parent, name, path }: Place, entry: LayerEntry): Promise<void> {
    if (parent.children?.has(name) === true) this.dirty = true;
    const inode = await this.#output.file(path, entry, this.#source);
    parent.children?.set(name, { inode, children: undefined, opaque: false, layer: "" });
  }

  #hideAll(directory: Node): void {
    if (directory.opaque) return;
    directory.opaque = true;
    this.dirty = true;
  }

  async #hide({ parent, below, name, path }: Place): Promise<void> {
    const isBelow = !parent.opaque && below?.children?.has(name) === true;
    const own = parent.children?.get(name);
    // What a layer has itself is never removed by it, whatever the order.
    if (own !== undefined && own.inode.kind !== "whiteout") {
      if (own.inode.kind === "directory" && isBelow) this.#hideAll(own);
      return;
    }
    if (!parent.opaque) this.tree.removes(path, isBelow);
    // A whiteout of nothing would show up in a listing.
    if (!isBelow || own !== undefined) return;
    parent.children?.set(name, { inode: whiteout, children: undefined, opaque: false, layer: "" });
    await this.#output.header(path, whiteout);
  }

  async #link(place: Place, entry: LayerEntry, linkTo: string): Promise<void> {
    const target = await this.#place(linkTo);
    const own = target.parent.children?.get(target.name);
    const node =
      own !== undefined && own.inode.kind !== "whiteout"
        ? own
        : await this.#copyUp(target, entry.path);
    if (node.inode.kind === "directory")
      throw layerInvalid(`${shown(entry.path)} is a hard link to a directory`);
    if (place.path === target.path) return;
    if (place.parent.children?.has(place.name) === true) this.dirty = true;
    await this.#name(place, node, target.path);
  }

  /** Gives a file of the layer one more name. */
  async #name({ parent, name, path }: Place, node: Node, linkTo: string): Promise<void> {
    this.linked.add(node.inode);
    parent.children?.set(name, { ...node });
    await this.#output.header(path, node.inode, { linkTo });
  }

  /** A hard link to a file of a layer below brings the file into this layer, as it would in a running container. */
  async #copyUp({ parent, below, name, path }: Place, linkPath: string): Promise<Node> {
    const under = parent.opaque ? undefined : below?.children?.get(name);
    if (under === undefined || parent.children?.has(name) === true)
      throw layerInvalid(`${shown(linkPath)} is a hard link to ${shown(path)}, which is not there`);
    if (under.inode.kind === "directory") return under;
    this.tree.takesFromBelow();
    const { inode } = under;
    this.#budget.unpacked(inode.sizeBytes);
    const data = inode.kind === "file" ? this.#request.readBelow(under.layer, path) : noData();
    if ((await this.#output.copy(path, inode, data)) !== inode.sizeBytes)
      throw new SilkError(`the file ${shown(path)} of a layer below is not what it was`, {
        code: "BLOB_DAMAGED",
        kind: "failed",
        hint: "Remove the image (`silk image rm`), collect the garbage (`silk gc`), and pull it again.",
      });
    const node: Node = { inode, children: undefined, opaque: false, layer: "" };
    parent.children?.set(name, node);
    // Its other names come with it, or it would be two files from now on.
    for (const other of this.tree.below === undefined ? [] : namesOf(this.tree.below, under)) {
      const place = await this.#place(other);
      const isHidden = place.parent.children?.has(place.name) === true || place.parent.opaque;
      const seen = place.below?.children?.get(place.name);
      if (isHidden || seen?.layer !== under.layer || seen.inode.linkGroup !== inode.linkGroup)
        continue;
      await this.#name(place, node, path);
    }
    return node;
  }

  /** Of what is no file, and of whiteouts, which should have none. */
  async #skipData({ storedBytes }: LayerEntry): Promise<void> {
    for (let left = storedBytes; left > 0;) left -= (await this.#source.need(left)).length;
  }
}

function isZeroDevice({ device }: Inode): boolean {
  return device?.major === 0 && device.minor === 0;
}

async function* noData(): AsyncGenerator<Uint8Array> {}

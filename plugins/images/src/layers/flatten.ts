import type * as Crypto from "node:crypto";
import { join } from "node:path";
import { type CallOptions, type Host, isSilkError, SilkError } from "@silkvm/core";
import { ByteSource } from "@silkvm/storage";
import { layerInvalid, shown, tooLarge } from "../errors.ts";
import { SequentialWriter } from "../files/sequential-writer.ts";
import { isBootFile } from "./boot-file.ts";
import { BootFileWriter, type KeptBootFile } from "./boot-file-writer.ts";
import { type Inode, namesOf, type Node, numberLinks, whiteout } from "./inode.ts";
import { type Assumptions, LayerTree, type Place } from "./layer-tree.ts";
import { type LayerEntry, readLayer } from "./read-layer.ts";
import { writeEnd, writeHeader, writePadding } from "./tar-writer.ts";
import { writeTree } from "./write-tree.ts";

/** What bounds a layer, so that a small download does not fill a disk, or memory. */
export interface LayerLimits {
  /** Bytes of a layer when it is unpacked. Default 64 GiB. */
  readonly unpackedBytes: number;
  /** Files, directories and the like in a layer. Default 4 million. */
  readonly entries: number;
}

export const defaultLimits: LayerLimits = { unpackedBytes: 64 * 1024 ** 3, entries: 4_000_000 };

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

const whiteoutPrefix = ".wh.";
const opaqueName = ".wh..wh..opq";

/**
 * Reads a layer and writes it again as an archive that can be handed to any program: no path leads elsewhere, none is there twice, each has its
 * directory before it, and what it removes from the layers below is said in overlayfs's way.
 * @throws SilkError `LAYER_INVALID`, `IMAGE_TOO_LARGE`, `DISK_FULL`
 */
export async function flattenLayer(host: Host, request: FlattenRequest): Promise<FlatLayer> {
  const tarPath = join(request.directory, "layer.tar");
  await using file = await host.files.open(tarPath, "create");
  const flattening = new Flattening(host, request, new SequentialWriter(file));
  try {
    await flattening.read();
  } catch (error) {
    if (isSilkError(error) && error.code === "ARCHIVE_INVALID")
      throw layerInvalid(error.message.replace(/^the archive is not valid: /, ""), error);
    throw error;
  }
  const { tree, dirty } = flattening;
  const finalPath = dirty ? join(request.directory, "layer-2.tar") : tarPath;
  if (dirty) {
    await writeTree(host, finalPath, tree.root, { tarPath, dataAt: flattening.dataAt }, request);
    await host.files.remove(tarPath);
  }
  numberLinks(tree.root);
  return {
    tarPath: finalPath,
    tree: tree.root,
    assumptions: tree.assumptions(),
    dependsOnBelow: tree.dependsOnBelow,
    bootFiles: flattening.boot.kept,
    diffId: flattening.digest,
    latestSeconds: flattening.latestSeconds,
  };
}

class Flattening {
  readonly tree: LayerTree;
  /** Where in the archive that is written a file's data begins. */
  readonly dataAt = new Map<Inode, number>();
  readonly boot: BootFileWriter;
  /** Whether something was written that is not so any more. */
  dirty = false;
  digest = "";
  latestSeconds = 0;
  readonly #request: FlattenRequest;
  readonly #writer: SequentialWriter;
  readonly #hash: Crypto.Hash = process.getBuiltinModule("node:crypto").createHash("sha256");
  #entries = 0;
  #hasRoot = false;
  #unpackedBytes = 0;
  #source!: ByteSource;

  constructor(host: Host, request: FlattenRequest, writer: SequentialWriter) {
    this.#request = request;
    this.#writer = writer;
    this.tree = new LayerTree(request.below, "");
    this.boot = new BootFileWriter(host, request.directory);
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
    await writeEnd(this.#writer);
    await this.#writer.finish();
  }

  async *#hashed(archive: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let bytes = 0;
    for await (const chunk of archive) {
      bytes += chunk.length;
      if (bytes > this.#request.limits.unpackedBytes * 2)
        throw tooLarge("a layer of the image", this.#request.limits.unpackedBytes);
      this.#hash.update(chunk);
      yield chunk;
    }
  }

  async #take(entry: LayerEntry): Promise<void> {
    const { limits } = this.#request;
    this.#unpackedBytes += entry.inode.sizeBytes;
    if (this.#unpackedBytes > limits.unpackedBytes)
      throw tooLarge("a layer of the image", limits.unpackedBytes);
    if (++this.#entries > limits.entries)
      throw layerInvalid(`it has more than ${limits.entries} entries`);
    if (entry.path === "") return await this.#root(entry);
    await this.#beginRoot();
    const place = await this.#place(entry.path);
    if (place.name.startsWith(whiteoutPrefix)) {
      await this.#skipData(entry);
      return await this.#remove(place);
    }
    if (entry.inode.kind === "char" && isZeroDevice(entry.inode)) return await this.#hide(place);
    if (entry.linkTo !== undefined) return await this.#link(place, entry);
    await this.#put(place, entry);
  }

  #place(path: string): Promise<Place> {
    return this.tree.place(path, async (at, node) => {
      // There was a whiteout in its place.
      if (node.opaque) this.dirty = true;
      this.#time(node.inode);
      await writeHeader(this.#writer, at, node.inode, { opaque: node.opaque });
    });
  }

  async #beginRoot(): Promise<void> {
    if (this.#hasRoot) return;
    this.#hasRoot = true;
    this.#time(this.tree.root.inode);
    await writeHeader(this.#writer, "", this.tree.root.inode);
  }

  async #root(entry: LayerEntry): Promise<void> {
    await this.#skipData(entry);
    if (entry.inode.kind !== "directory") throw layerInvalid("its root is no directory");
    this.tree.root.inode = entry.inode;
    this.tree.described("");
    if (this.#hasRoot) this.dirty = true;
    else await this.#beginRoot();
  }

  async #put(place: Place, entry: LayerEntry): Promise<void> {
    const { parent, name, path, below } = place;
    const old = parent.children?.get(name);
    this.#time(entry.inode);
    if (entry.inode.kind === "directory") {
      const isFresh = old?.inode.kind !== "directory";
      if (old !== undefined) this.dirty = true;
      const node: Node = isFresh
        ? { inode: entry.inode, children: new Map(), opaque: false, layer: "" }
        : old;
      // What was removed and made anew hides what was there.
      if (old?.inode.kind === "whiteout") node.opaque = below?.children?.has(name) === true;
      node.inode = entry.inode;
      parent.children?.set(name, node);
      this.tree.described(path);
      await writeHeader(this.#writer, path, entry.inode, { opaque: node.opaque });
      await this.#skipData(entry);
      return;
    }
    if (old !== undefined) this.dirty = true;
    await using boot =
      entry.inode.kind === "file" && isBootFile(path) ? await this.boot.begin(path) : undefined;
    await writeHeader(this.#writer, path, entry.inode);
    const dataAt = this.#writer.position;
    await this.#copyData(entry, boot);
    const kept = await boot?.end();
    const inode = kept === undefined ? entry.inode : { ...entry.inode, bootBlobId: kept.blobId };
    this.dataAt.set(inode, dataAt);
    parent.children?.set(name, { inode, children: undefined, opaque: false, layer: "" });
  }

  /** `.wh.NAME` hides what is below; `.wh..wh..opq` hides all that is below in its directory. */
  async #remove({ parent, below, name, path }: Place): Promise<void> {
    const directory = path.slice(0, -name.length).replace(/\/$/, "");
    if (name === opaqueName) {
      if (parent.opaque) return;
      parent.opaque = true;
      this.dirty = true;
      return;
    }
    // AUFS's own files, which nobody has any use for.
    if (name.startsWith(".wh..wh.")) return;
    const hidden = name.slice(whiteoutPrefix.length);
    if (hidden === "" || hidden === "." || hidden === "..")
      throw layerInvalid(`${shown(path)} removes nothing that has a name`);
    await this.#hide({
      parent,
      below,
      name: hidden,
      path: directory === "" ? hidden : `${directory}/${hidden}`,
    });
  }

  async #hide({ parent, below, name, path }: Place): Promise<void> {
    const isBelow = !parent.opaque && below?.children?.has(name) === true;
    const own = parent.children?.get(name);
    // What a layer has itself is never removed by it, whatever the order.
    if (own !== undefined && own.inode.kind !== "whiteout") {
      if (own.inode.kind !== "directory" || own.opaque || !isBelow) return;
      own.opaque = true;
      this.dirty = true;
      return;
    }
    if (!parent.opaque) this.tree.removes(path, isBelow);
    // A whiteout of nothing would show up in a listing.
    if (!isBelow || own !== undefined) return;
    parent.children?.set(name, { inode: whiteout, children: undefined, opaque: false, layer: "" });
    await writeHeader(this.#writer, path, whiteout);
  }

  async #link(place: Place, entry: LayerEntry): Promise<void> {
    const linkTo = entry.linkTo ?? "";
    const target = await this.#place(linkTo);
    const own = target.parent.children?.get(target.name);
    const node =
      own !== undefined && own.inode.kind !== "whiteout"
        ? own
        : await this.#copyUp(target, entry.path);
    if (node.inode.kind === "directory")
      throw layerInvalid(`${shown(entry.path)} is a hard link to a directory`);
    if (place.path === target.path) return;
    if (place.parent.children?.get(place.name) !== undefined) this.dirty = true;
    place.parent.children?.set(place.name, { ...node });
    await writeHeader(this.#writer, place.path, node.inode, { linkTo: target.path });
  }

  /** A hard link to a file of a layer below brings the file into this layer, as it would in a running container. */
  async #copyUp({ parent, below, name, path }: Place, linkPath: string): Promise<Node> {
    const under = parent.opaque ? undefined : below?.children?.get(name);
    if (under === undefined || parent.children?.has(name) === true)
      throw layerInvalid(`${shown(linkPath)} is a hard link to ${shown(path)}, which is not there`);
    if (under.inode.kind === "directory") return under;
    this.tree.takesFromBelow();
    const { inode } = under;
    const writer = this.#writer;
    this.#unpackedBytes += inode.sizeBytes;
    if (this.#unpackedBytes > this.#request.limits.unpackedBytes)
      throw tooLarge("a layer of the image", this.#request.limits.unpackedBytes);
    this.#time(inode);
    await writeHeader(writer, path, inode);
    const start = writer.position;
    if (inode.kind === "file") {
      for await (const bytes of this.#request.readBelow(under.layer, path))
        await writer.write(bytes);
      if (writer.position - start !== inode.sizeBytes)
        throw new SilkError(`the file ${shown(path)} of a layer below is not what it was`, {
          code: "BLOB_DAMAGED",
          kind: "failed",
          hint: "Remove the image (`silk image rm`), collect the garbage (`silk gc`), and pull it again.",
        });
      await writePadding(writer, inode.sizeBytes);
    }
    this.dataAt.set(inode, start);
    const node: Node = { inode, children: undefined, opaque: false, layer: "" };
    parent.children?.set(name, node);
    // Its other names come with it, or it would be two files from now on.
    for (const other of this.tree.below === undefined ? [] : namesOf(this.tree.below, under)) {
      const place = await this.#place(other);
      const isHidden = place.parent.children?.has(place.name) === true || place.parent.opaque;
      const seen = place.below?.children?.get(place.name);
      if (isHidden || seen?.layer !== under.layer || seen.inode.linkGroup !== inode.linkGroup)
        continue;
      place.parent.children?.set(place.name, { ...node });
      await writeHeader(writer, place.path, inode, { linkTo: path });
    }
    return node;
  }

  async #copyData(
    entry: LayerEntry,
    boot: { write(bytes: Uint8Array): Promise<void> } | undefined,
  ) {
    let position = 0;
    const hole = async (count: number): Promise<void> => {
      await this.#writer.zeros(count);
      if (boot === undefined) return;
      for (let left = count; left > 0; left -= 2 ** 20)
        await boot.write(Buffer.alloc(Math.min(left, 2 ** 20)));
    };
    for (const { start, length } of entry.map.pieces()) {
      if (start > position) await hole(start - position);
      for (let left = length; left > 0;) {
        const bytes = await this.#source.need(left);
        await this.#writer.write(bytes);
        await boot?.write(bytes);
        left -= bytes.length;
      }
      position = start + length;
    }
    await hole(entry.inode.sizeBytes - position);
    await writePadding(this.#writer, entry.inode.sizeBytes);
  }

  /** Of what is no file, and of whiteouts, which should have none. */
  async #skipData({ storedBytes }: LayerEntry): Promise<void> {
    for (let left = storedBytes; left > 0;) left -= (await this.#source.need(left)).length;
  }

  #time({ mtime }: Inode): void {
    this.latestSeconds = Math.max(this.latestSeconds, mtime.seconds + 1);
  }
}

function isZeroDevice({ device }: Inode): boolean {
  return device?.major === 0 && device.minor === 0;
}

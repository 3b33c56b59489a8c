import { dirname, resolve } from "node:path";
import { type Host, SilkError, type SilkErrorOptions } from "@silkvm/core";
import { type ImageHeader, readImageHeader } from "../image-header.ts";
import { isNamedQcow2 } from "./named-qcow2.ts";

/** The VMM follows no longer chain. */
const longestChain = 10;

/** The VMM reads so much of a disk before it takes it. */
const sectorBytes = 512;

/** A disk's image that is to be attached. */
export interface CheckedImage {
  readonly path: string;
  readonly readonly: boolean;
  /** Name of the backend, for messages. */
  readonly backend: string;
}

/**
 * Checks that an image is what its name says to the VMM, and that the VMM can use it: a qcow2 that is attached as raw shows
 * the guest its own bytes, and the guest's first write destroys it.
 * @throws SilkError `INVALID_IMAGE`, `IMAGE_UNSUPPORTED`, `FILE_NOT_FOUND` where a backing file is missing
 */
export async function checkImage(
  host: Host,
  { path, readonly, backend }: CheckedImage,
): Promise<void> {
  const header = await readImageHeader(host, path);
  if (header.format === "qcow2" && !isNamedQcow2(path))
    throw refuse(`${path} is a qcow2 image, and its name says that it is raw`, "INVALID_IMAGE", {
      kind: "invalid",
      hint: "Give it a name that ends in .qcow2.",
      details: { path },
    });
  if (header.format === "raw" && isNamedQcow2(path))
    throw refuse(`${path} is no qcow2 image, though its name says so`, "INVALID_IMAGE", {
      kind: "invalid",
      hint: "Give a raw image a name that does not end in .qcow2.",
      details: { path },
    });
  if (header.virtualSizeBytes !== undefined && header.virtualSizeBytes < sectorBytes)
    throw refuse(
      header.virtualSizeBytes === 0
        ? `${path} is empty`
        : `${path} is smaller than one sector of a disk`,
      "INVALID_IMAGE",
      {
        kind: "invalid",
        hint: `A raw disk is as large as its file: truncate -s 10G ${path}`,
        details: { path, sizeBytes: header.virtualSizeBytes },
      },
    );
  checkUsable(path, header, backend);
  if (header.backingFile === undefined) return;
  if (readonly)
    throw refuse(
      `${path} is an overlay, and the VMM takes overlays as writable disks only`,
      "IMAGE_UNSUPPORTED",
      {
        kind: "unsupported",
        hint: `Make a whole image of it: qemu-img convert -O qcow2 ${path} whole.qcow2`,
        details: { path, backingFile: header.backingFile },
      },
    );
  await checkChain(host, path, header, backend);
}

function checkUsable(
  path: string,
  { format, encrypted, externalData }: ImageHeader,
  backend: string,
): void {
  const unsupported = (what: string): SilkError =>
    refuse(`${path} is ${what}, which the backend ${backend} does not take`, "IMAGE_UNSUPPORTED", {
      kind: "unsupported",
      hint: `Convert it: qemu-img convert -O raw ${path} disk.raw`,
      details: { path, format },
    });
  if (format !== "raw" && format !== "qcow2") throw unsupported(`a ${format} image`);
  if (encrypted === true) throw unsupported("an encrypted qcow2 image");
  if (externalData === true) throw unsupported("a qcow2 image with its data in another file");
}

async function checkChain(
  host: Host,
  top: string,
  header: ImageHeader,
  backend: string,
): Promise<void> {
  let path = top;
  let { backingFile, backingFormat } = header;
  for (let depth = 1; backingFile !== undefined; depth++) {
    if (depth > longestChain)
      throw refuse(
        `${top} has more than ${longestChain} backing files below it`,
        "IMAGE_UNSUPPORTED",
        {
          kind: "unsupported",
          hint: `Make a whole image of it: qemu-img convert -O qcow2 ${top} whole.qcow2`,
          details: { path: top },
        },
      );
    // A relative name starts where the overlay itself is, not where a symlink to it is.
    const below: string = resolve(dirname(await host.files.realpath(path)), backingFile);
    if ((await host.files.stat(below)) === undefined)
      throw refuse(`${path} is an overlay on ${below}, which is not there`, "FILE_NOT_FOUND", {
        kind: "not-found",
        hint: "Put the backing file back, or name its new place: qemu-img rebase -u -F <format> -b <file> <overlay>",
        details: { path, backingFile: below },
      });
    if (backingFormat === "raw") return;
    const next: ImageHeader = await readImageHeader(host, below);
    checkUsable(below, next, backend);
    path = below;
    ({ backingFile, backingFormat } = next);
  }
}

function refuse(message: string, code: string, rest: Omit<SilkErrorOptions, "code">): SilkError {
  return new SilkError(message, { code, ...rest });
}

import type { BlobReference } from "@silkvm/core";
import type { BlobSize, ImageRecord } from "@silkvm/images";

/** An image as commands tell of it; its size is the room that it takes on this disk. */
export interface ImageView extends ImageRecord {
  /** As a person would type it: `debian:12`. */
  readonly name: string;
  /** Room of what no other image has: what its removal gives back, where no VM and no snapshot needs it. */
  readonly ownBytes: number;
}

/** An image, and what has to do with it. */
export interface ImageDetails extends ImageView {
  /** Other names of the same image. */
  readonly otherNames: readonly string[];
  /** VMs and snapshots of VMs that were made of it: `the VM web`. */
  readonly usedBy: readonly string[];
  /** Files of it that are gone. */
  readonly missingBlobIds: readonly string[];
}

/** Images with what is their own, by what there is of blobs. */
export function imageViews(
  records: readonly ImageRecord[],
  blobs: readonly BlobSize[],
  familiarName: (ref: string) => string,
): readonly ImageView[] {
  const sizes = new Map(blobs.map(({ blobId, sizeBytes }) => [blobId, sizeBytes]));
  const owners = new Map<string, Set<string>>();
  for (const { digest, blobIds } of records)
    for (const id of blobIds) owners.set(id, (owners.get(id) ?? new Set()).add(digest));
  return records.map((record) => {
    const room = (ids: readonly string[]): number =>
      [...new Set(ids)].reduce((sum, id) => sum + (sizes.get(id) ?? 0), 0);
    const ownBytes = room(record.blobIds.filter((id) => owners.get(id)?.size === 1));
    const sizeBytes = room(record.blobIds);
    return { ...record, name: familiarName(record.ref), sizeBytes, ownBytes };
  });
}

/** Everything about one of the images that there are. */
export function imageDetails(
  { ref, digest }: Pick<ImageRecord, "ref" | "digest">,
  all: readonly ImageView[],
  blobs: readonly Pick<BlobSize, "blobId">[],
  references: readonly BlobReference[],
): ImageDetails {
  const view = all.find((image) => image.ref === ref);
  if (view === undefined) throw new Error(`${ref} was here a moment ago`);
  const present = new Set(blobs.map(({ blobId }) => blobId));
  const otherNames = all
    .filter((image) => image.digest === digest && image.ref !== ref)
    .map(({ name }) => name);
  return {
    ...view,
    otherNames,
    usedBy: usersOf(digest, references),
    missingBlobIds: view.blobIds.filter((id) => !present.has(id)),
  };
}

/** VMs and snapshots that were made of an image. */
export function usersOf(digest: string, references: readonly BlobReference[]): readonly string[] {
  const users = references.filter(({ imageDigest }) => imageDigest === digest);
  return [...new Set(users.map(({ by }) => by))];
}

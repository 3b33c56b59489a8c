import { join } from "node:path";
import {
  type BlobReference,
  type CallOptions,
  type Host,
  type ImageGarbage as Garbage,
  toSilkError,
} from "@silkvm/core";
import { familiarName } from "./reference.ts";
import type { Blobs } from "./store/blobs.ts";
import type { ImageStore } from "./store/image-store.ts";
import { blobIdPattern } from "./store/paths.ts";

/** What nothing needs. */
export interface ImageGarbage extends Garbage {
  readonly kind: "blob" | "download" | "work";
}

/** A blob that stays, and why. */
export interface KeptBlob {
  readonly blobId: string;
  readonly sizeBytes: number;
  /** Who needs it: `the image debian:12`, `the VM web`. */
  readonly by: readonly string[];
}

/** What a collection of garbage would remove, and what it keeps. */
export interface GarbagePlan {
  readonly garbage: readonly ImageGarbage[];
  readonly kept: readonly KeptBlob[];
}

/** Finds what nothing needs. Changes nothing. What others are working on is left out. */
export async function planGarbage(
  host: Host,
  blobs: Blobs,
  store: ImageStore | undefined,
  references: readonly BlobReference[],
  /** Whether the caller holds all of it alone. */
  { alone = false }: { readonly alone?: boolean } = {},
): Promise<GarbagePlan> {
  const { files } = host;
  const { blobsDir, downloadsDir, workDir } = blobs.paths;
  const needed = new Map<string, string[]>();
  const need = (blobId: string, by: string): void => {
    const known = needed.get(blobId);
    if (known === undefined) needed.set(blobId, [by]);
    else if (!known.includes(by)) known.push(by);
  };
  const names = await files.list(blobsDir);
  for (const { ref, blobIds } of store?.list() ?? [])
    for (const id of blobIds) need(id, `the image ${familiarName(ref)}`);
  for (const { name, blobIds } of store?.listKernels() ?? [])
    for (const id of blobIds) need(id, `the kernel ${name}`);
  for (const { blobId, by } of references) need(blobId, by);

  const garbage: ImageGarbage[] = [];
  const kept: KeptBlob[] = [];
  for (const name of names) {
    const path = join(blobsDir, name);
    const sizeBytes = (await files.stat(path))?.allocatedBytes ?? 0;
    const blobId = name.replace(/\.facts$/, "");
    const by = needed.get(blobId);
    if (by === undefined) {
      const isBlob = blobIdPattern.test(blobId);
      const why = isBlob
        ? "no image, VM or snapshot needs it"
        : "it is the rest of a write that was interrupted";
      garbage.push({ kind: "blob", name: path, why, sizeBytes });
    } else if (name === blobId) kept.push({ blobId, sizeBytes, by });
  }
  // Somebody is pulling right now: what is not needed yet may be in a moment.
  if (!alone && (await blobs.isUsed())) return { garbage: [], kept };
  for (const name of await files.list(downloadsDir)) {
    const path = join(downloadsDir, name);
    const sizeBytes = (await files.stat(path))?.allocatedBytes ?? 0;
    garbage.push({
      kind: "download",
      name: path,
      why: "it is the rest of a pull that was not finished",
      sizeBytes,
    });
  }
  for (const name of await files.list(workDir)) {
    if (await blobs.isWorking(name)) continue;
    const why = "whoever worked in it has died";
    garbage.push({ kind: "work", name: join(workDir, name), why, sizeBytes: 0 });
  }
  return { garbage, kept };
}

/** Removes what nothing needs, while nobody makes any blobs or begins to use some. */
export async function collectGarbage(
  host: Host,
  blobs: Blobs,
  store: ImageStore,
  references: () => Promise<readonly BlobReference[]>,
  options: CallOptions & {
    readonly waitMs?: number | undefined;
    readonly only?: ReadonlySet<string> | undefined;
  },
): Promise<readonly ImageGarbage[]> {
  await using _alone = await blobs.useAlone(options);
  const { garbage } = await planGarbage(host, blobs, store, await references(), { alone: true });
  const chosen = garbage.filter(
    ({ name }) =>
      options.only === undefined ||
      options.only.has(
        name
          .split("/")
          .at(-1)
          ?.replace(/\.facts$/, "") ?? "",
      ),
  );
  for (const { name } of chosen) {
    options.signal?.throwIfAborted();
    try {
      await host.files.remove(name);
    } catch (error) {
      throw toSilkError(error, `cannot remove ${name}`);
    }
  }
  for (const { kind, name } of chosen)
    if (kind === "blob" && name.endsWith(".erofs"))
      store.forgetChains(name.split("/").at(-1) ?? "");
  return chosen;
}

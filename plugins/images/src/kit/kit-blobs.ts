import { join } from "node:path";
import type { Host } from "@silkvm/core";
import { digestOf } from "../digest.ts";
import type { Blobs, NewBlob, WorkDirectory } from "../store/blobs.ts";

/** Bytes that are to be a blob; without bytes it is one already. */
export interface Content {
  readonly id: string;
  readonly bytes: Buffer | undefined;
}

export function contentOf(
  bytes: Buffer,
  kind: string,
): { readonly id: string; readonly bytes: Buffer } {
  return { id: `${digestOf(bytes).slice("sha256:".length)}.${kind}`, bytes };
}

/** Makes blobs of what is not one yet; the last of them is there when the others are. */
export async function publishContents(
  host: Host,
  blobs: Blobs,
  work: WorkDirectory,
  contents: readonly Content[],
): Promise<void> {
  const made: NewBlob[] = [];
  for (const { id, bytes } of contents) {
    if (bytes === undefined || (await blobs.has(id))) continue;
    const filePath = join(work.path, id);
    await using file = await host.files.open(filePath, "create");
    await file.write(bytes, 0);
    made.push({ id, filePath });
  }
  if (made.length > 0) await blobs.publish(made);
}

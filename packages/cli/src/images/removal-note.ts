import type { ImageGarbage, KeptBlob } from "@silkvm/images";
import { listWords } from "../list-words.ts";
import { formatSize } from "../output/format-size.ts";

/** What a removal came to: `Removed web:1.4: 312M freed, 80M stays for the image base:1.` */
export function removalNote(removed: {
  readonly names: readonly string[];
  /** By which the image is still here. */
  readonly otherNames: readonly string[];
  readonly freed: readonly Pick<ImageGarbage, "sizeBytes">[];
  readonly kept: readonly Pick<KeptBlob, "sizeBytes" | "by">[];
}): string {
  const { names, otherNames, freed, kept } = removed;
  const what = `Removed ${listWords(names)}`;
  if (otherNames.length > 0) return `${what}: the image is still here as ${listWords(otherNames)}.`;
  const sum = (all: readonly { readonly sizeBytes: number }[]): string =>
    formatSize(all.reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0));
  const stays =
    kept.length === 0
      ? ""
      : `, ${sum(kept)} stays for ${listWords([...new Set(kept.flatMap(({ by }) => by))])}`;
  return `${what}: ${sum(freed)} freed${stays}.`;
}

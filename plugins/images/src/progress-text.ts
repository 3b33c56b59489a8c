import type { ImageProgress } from "./progress.ts";

const words: Readonly<Record<ImageProgress["phase"], string>> = {
  resolving: "looking up",
  downloading: "downloading",
  verifying: "checking",
  converting: "converting",
  done: "got",
};

/** How far a pull is, for a person who waits: `downloading debian:12, layer 2 of 5, 40%`. */
export function progressText(
  name: string,
  { phase, index, total, doneBytes, totalBytes }: ImageProgress,
): string {
  const parts = [`${words[phase]} ${name}`];
  if (index !== undefined && total !== undefined && total > 1)
    parts.push(`layer ${index} of ${total}`);
  if (doneBytes !== undefined && totalBytes !== undefined && totalBytes > 0)
    parts.push(`${Math.floor((100 * doneBytes) / totalBytes)}%`);
  return parts.join(", ");
}

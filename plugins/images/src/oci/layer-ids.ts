import { digestOf, parseDigest } from "../digest.ts";
import type { LayerDescriptor } from "./contents.ts";

/** The blob of a layer that is the same whatever is below it. */
export function plainId({ diffId }: LayerDescriptor): string {
  const { algorithm, hex } = parseDigest(diffId);
  return `${algorithm === "sha256" ? hex : hexOf(diffId)}.erofs`;
}

/** The blob of a layer that is what it is on those below it alone. */
export function dependentId(chain: string): string {
  return `${hexOf(`silk layer\n${chain}`)}.erofs`;
}

/** Stands for a layer and all below it. */
export function chainOf(chain: string, diffId: string): string {
  return digestOf(Buffer.from(`${chain} ${diffId}`));
}

function hexOf(text: string): string {
  return parseDigest(digestOf(Buffer.from(text))).hex;
}

import { formatSize } from "../output/format-size.ts";
import { formatAgo } from "../output/relative-time.ts";
import { type Column, renderTable, type TableOptions } from "../output/table.ts";
import { toJson } from "../output/to-json.ts";
import type { ImageView } from "./image-view.ts";

export interface ImageListView extends TableOptions {
  readonly json: boolean;
  /** Names only. */
  readonly quiet: boolean;
  /** Indent the JSON. */
  readonly pretty: boolean;
  /** The time that ages are counted from, in milliseconds since 1970. */
  readonly nowMs: number;
}

/** What `silk image list` prints. */
export function renderImageList(images: readonly ImageView[], view: ImageListView): string {
  if (view.json) return toJson(view.quiet ? images.map(({ name }) => name) : images, view.pretty);
  if (view.quiet) return images.map(({ name }) => `${name}\n`).join("");
  return renderTable(columns(view.nowMs), images, view);
}

function columns(nowMs: number): readonly Column<ImageView>[] {
  return [
    { header: "NAME", cell: ({ name }) => name, shrinkTo: 16 },
    { header: "TYPE", cell: ({ type }) => type },
    { header: "DIGEST", cell: ({ digest }) => shortDigest(digest) },
    { header: "SIZE", align: "right", cell: ({ sizeBytes }) => formatSize(sizeBytes) },
    { header: "OWN", align: "right", cell: ({ ownBytes }) => formatSize(ownBytes) },
    { header: "PULLED", cell: ({ pulledAt }) => formatAgo(pulledAt, nowMs), shrinkTo: 8 },
  ];
}

/** Enough of a digest to tell images apart, and to be typed. */
export function shortDigest(digest: string): string {
  return digest.replace(/^sha(?:256|512):/, "").slice(0, 12);
}

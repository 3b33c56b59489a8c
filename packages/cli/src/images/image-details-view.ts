import { type Field, renderFields } from "../output/fields.ts";
import { formatSize } from "../output/format-size.ts";
import { formatAgo } from "../output/relative-time.ts";
import { renderSection } from "../output/section.ts";
import { shellQuote } from "../output/shell-quote.ts";
import type { Column } from "../output/table.ts";
import { shortDigest } from "./image-list-view.ts";
import type { ImageDetails } from "./image-view.ts";

/** What `silk image inspect` tells a person of an image. */
export function renderImageDetails(image: ImageDetails, nowMs: number): string {
  const { layers, run } = image;
  const sections: (readonly [title: string, body: string])[] = [
    ["Boot", renderFields(bootFields(image), "  ")],
    ["Run", renderFields(runFields(image), "  ")],
    ["Layers", renderSection(layerColumns, layers)],
    ["Labels", renderFields(Object.entries(run?.labels ?? {}), "  ")],
    ["Used by", image.usedBy.map((by) => `  ${by.replace(/^the /, "")}\n`).join("")],
  ];
  const told = sections.filter(([, body]) => body !== "");
  return (
    renderFields(mainFields(image, nowMs)) +
    told.map(([title, body]) => `${title}\n${body}`).join("")
  );
}

const typeWords = {
  "oci-vm": "a VM, with a kernel of its own",
  "oci-container": "a container, which has no kernel",
  cloudimg: "a cloud image, which boots by firmware",
} as const;

function mainFields(image: ImageDetails, nowMs: number): Field[] {
  const { name, otherNames, digest, type, source, disk, createdAt, missingBlobIds } = image;
  const at = (iso: string): string => `${iso} (${formatAgo(iso, nowMs)})`;
  return [
    ["Name", name],
    ["Also", otherNames.length === 0 ? undefined : otherNames.join(", ")],
    ["Digest", digest],
    ["Type", `${type}: ${typeWords[type]}`],
    ["Architecture", image.architecture],
    [
      "Size",
      `${formatSize(image.sizeBytes)}, ${formatSize(image.ownBytes)} of it in no other image`,
    ],
    [
      "Disk",
      disk === undefined
        ? undefined
        : `${formatSize(disk.virtualSizeBytes)}, was ${disk.sourceFormat}`,
    ],
    ["Created", createdAt === undefined ? undefined : at(createdAt)],
    ["Pulled", at(image.pulledAt)],
    ["Source", source === image.ref ? undefined : source],
    [
      "Missing",
      missingBlobIds.length === 0
        ? undefined
        : `${missingBlobIds.join(", ")}: pull it again (silk image pull ${name})`,
    ],
  ];
}

function bootFields({ kernel, initrd }: ImageDetails): Field[] {
  return [
    ["Kernel", kernel?.path],
    ["Initrd", initrd?.path],
  ];
}

function runFields({ type, run }: ImageDetails): Field[] {
  if (type !== "oci-container" || run === undefined) return [];
  const { entrypoint, cmd, env, user, workingDir, stopSignal } = run;
  const words = (argv: readonly string[]): string | undefined =>
    argv.length === 0 ? undefined : argv.map(shellQuote).join(" ");
  return [
    ["Entrypoint", words(entrypoint)],
    ["Command", words(cmd)],
    ["User", user === "" ? undefined : user],
    ["Directory", workingDir === "" ? undefined : workingDir],
    ["Stopped by", stopSignal],
    ...env.map((variable, index): Field => [index === 0 ? "Environment" : "", variable]),
  ];
}

const layerColumns: readonly Column<ImageDetails["layers"][number]>[] = [
  { header: "DIGEST", cell: ({ digest }) => shortDigest(digest) },
  { header: "SIZE", align: "right", cell: ({ sizeBytes }) => formatSize(sizeBytes) },
  { header: "BLOB", cell: ({ blobId }) => blobId },
];

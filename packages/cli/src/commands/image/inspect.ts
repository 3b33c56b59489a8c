import { SilkCommand } from "../../base-command.ts";
import { openEngine } from "../../engine.ts";
import { someImages } from "../../flags/image-args.ts";
import { renderImageDetails } from "../../images/image-details-view.ts";
import { imageDetails, imageViews } from "../../images/image-view.ts";
import { openImagesOf } from "../../images/open-images.ts";
import { inspectEach } from "../../inspect-each.ts";

export default class ImageInspect extends SilkCommand {
  static override summary = "show everything about images";
  static override description =
    "What it is, what it is made of, and which VMs and snapshots were made of it. With --json one image is an object, several are an array in the order of the command line; what is wrong with one stands in its place as an object with `ref` and `error`.";
  static override usage = "<%= command.id %> IMAGE...";
  static override examples = [
    { description: "for a person", command: "silk image inspect ghcr.io/acme/web:1.4" },
    {
      description: "which VMs and snapshots were made of it",
      command: "silk image inspect web:1.4 --json | jq .usedBy",
    },
  ];
  static override args = someImages;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ImageInspect);
    await using open = await openEngine(flags, this.config);
    await using images = await openImagesOf(open);
    const { familiarName } = await import("@silkvm/images");
    const blobs = await images.blobs();
    const all = imageViews(images.list(), blobs, familiarName);
    const references = await open.engine.blobReferences(open.call());
    const nowMs = Date.now();
    await inspectEach(
      args.image,
      flags.json,
      async (name) => imageDetails(images.inspect(name), all, blobs, references),
      (details) => renderImageDetails(details, nowMs),
    );
  }
}

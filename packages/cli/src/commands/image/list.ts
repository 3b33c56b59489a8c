import { boolean, string } from "@oclif/core/flags";
import { SilkCommand } from "../../base-command.ts";
import { openEngine } from "../../engine.ts";
import { parseImageFilters } from "../../images/image-filter.ts";
import { renderImageList } from "../../images/image-list-view.ts";
import { imageViews } from "../../images/image-view.ts";
import { print, terminalWidth } from "../../output/stdout.ts";

export default class ImageList extends SilkCommand {
  static override aliases = ["image ls"];
  static override summary = "list the images that are here, by name";
  static override description =
    "SIZE is all that an image has on the disk; OWN is what no other image shares, which is what its removal gives back where no VM and no snapshot needs it. A filter is name=, digest= or type= (with * for anything), or label=key=value. Filters of one key are alternatives, different keys and labels must all hold.";
  static override examples = [
    { description: "all images", command: "silk image list" },
    { description: "cloud images alone", command: "silk image ls --filter type=cloudimg" },
    {
      description: "the names, to remove them",
      command: "silk image rm $(silk image list --filter 'name=ghcr.io/acme/*' --quiet)",
    },
  ];
  static override flags = {
    filter: string({
      char: "f",
      description: "only images that fit; can be given more than once",
      helpValue: "KEY=VALUE",
      multiple: true,
      multipleNonGreedy: true,
    }),
    quiet: boolean({ char: "q", description: "print names only" }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ImageList);
    const { json, quiet } = flags;
    const matches = parseImageFilters(flags.filter ?? []);
    await using open = await openEngine(flags, this.config);
    const { openImages, familiarName } = await import("@silkvm/images");
    // Who else needs what is not asked: of many VMs it would take a while, and is not shown.
    await using images = openImages({ host: open.host, rootDir: open.engine.config.rootDir });
    const blobs = await images.blobs();
    const views = imageViews(images.list(), blobs, familiarName).filter(matches);
    const pretty = process.stdout.isTTY;
    const view = { json, quiet, pretty, nowMs: Date.now(), width: terminalWidth() };
    print(renderImageList(views, view));
  }
}

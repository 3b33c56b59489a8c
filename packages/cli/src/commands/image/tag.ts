import { string } from "@oclif/core/args";
import { SilkCommand } from "../../base-command.ts";
import { openEngine } from "../../engine.ts";
import { oneImage } from "../../flags/image-args.ts";
import { openImagesOf } from "../../images/open-images.ts";
import { printJson, printLine } from "../../output/stdout.ts";

export default class ImageTag extends SilkCommand {
  static override summary = "give an image one more name, and print that";
  static override description = "An image that had the name before has it no more.";
  static override usage = "<%= command.id %> IMAGE NEW";
  static override examples = [
    { description: "a short name", command: "silk image tag ghcr.io/acme/web:1.4 web" },
    {
      description: "an image by the beginning of its digest",
      command: "silk image tag 4f2c9a web:old",
    },
  ];
  static override args = {
    ...oneImage,
    name: string({ description: "the new name", required: true, ignoreStdin: true }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ImageTag);
    await using open = await openEngine(flags, this.config);
    await using images = await openImagesOf(open);
    const { signal } = open.change(`tagging ${args.image}`);
    const image = await images.tag(args.image, args.name, { signal });
    const { familiarName } = await import("@silkvm/images");
    const name = familiarName(image.ref);
    if (flags.json) printJson({ name, ...image });
    else printLine(name);
  }
}

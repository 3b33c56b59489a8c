import { string } from "@oclif/core/args";
import { string as text } from "@oclif/core/flags";
import { SilkCommand } from "../../base-command.ts";
import { usageError } from "../../cli-error.ts";
import { openEngine } from "../../engine.ts";
import { openImagesOf } from "../../images/open-images.ts";
import { takeImage } from "../../images/take-image.ts";
import { formatSize } from "../../output/format-size.ts";
import { printJson, printLine } from "../../output/stdout.ts";

export default class ImageImport extends SilkCommand {
  static override summary = "take an image from this machine, and print its name";
  static override description =
    "An OCI layout (a directory or a tar), what `docker save` writes, a root directory as a tar, or a disk (qcow2 or raw); all but directories also packed. What it is, is found out by its content. The source stays as it is.";
  static override usage = "<%= command.id %> PATH|- [FLAGS]";
  static override examples = [
    { description: "an OCI layout", command: "silk image import ./web-layout --name web:1.4" },
    { description: "what Docker has built", command: "docker save web:1.4 | silk image import -" },
    {
      description: "a disk",
      command: "silk image import debian-13-generic-amd64.qcow2 --name debian-13",
    },
  ];
  static override args = {
    file: string({
      description: "file or directory, - for stdin",
      required: true,
      ignoreStdin: true,
    }),
  };
  static override flags = {
    name: text({
      description: "name to give to it [default: the one that it has in the archive]",
      helpValue: "NAME",
    }),
    select: text({
      description: "which image of an archive of several, by its tag or digest",
      helpValue: "TAG",
    }),
    checksum: text({ description: "what the file of a disk must have", helpValue: "sha256:HEX" }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ImageImport);
    const { name, select, checksum, json } = flags;
    const isStdin = args.file === "-";
    if (isStdin && process.stdin.isTTY)
      throw usageError(
        "stdin is a terminal, and no image",
        "Name the file, or let stdin be one: docker save web:1.4 | silk image import -",
      );
    const what = isStdin ? "stdin" : args.file;
    await using open = await openEngine(flags, this.config);
    await using images = await openImagesOf(open);
    const words = { doing: `importing ${what}`, failed: `cannot import ${what}` };
    const { image, changed } = await takeImage(open, words, (call) =>
      images.import(isStdin ? process.stdin : args.file, { ...call, name, select, checksum }),
    );
    if (isStdin) process.stdin.destroy();
    const { familiarName } = await import("@silkvm/images");
    const known = familiarName(image.ref);
    open.note(
      changed
        ? `${known} is ${image.type}, ${formatSize(image.sizeBytes)}.`
        : `${known} was here already.`,
    );
    if (json) printJson({ name: known, changed, ...image });
    else printLine(known);
  }
}

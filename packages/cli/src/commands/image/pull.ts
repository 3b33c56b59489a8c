import { string } from "@oclif/core/args";
import { boolean, option, string as text } from "@oclif/core/flags";
import { SilkCommand } from "../../base-command.ts";
import { usageError } from "../../cli-error.ts";
import { eachInTurn } from "../../each-in-turn.ts";
import { openEngine } from "../../engine.ts";
import { openImagesOf } from "../../images/open-images.ts";
import { takeImage } from "../../images/take-image.ts";
import { formatSize } from "../../output/format-size.ts";

export default class ImagePull extends SilkCommand {
  static override summary =
    "get images from registries, or cloud images by URL, and print their names";
  static override description =
    "A name is as Docker takes it: debian:12 is docker.io/library/debian:12. A URL is that of a disk (qcow2 or raw, also packed with gzip, xz or zstd), whose checksum is looked for beside it. Logins are those of docker, podman and skopeo. A pull that was broken off goes on where it was.";
  static override usage = "<%= command.id %> NAME|URL... [FLAGS]";
  static override examples = [
    { description: "from a registry", command: "silk image pull ghcr.io/acme/web:1.4" },
    {
      description: "a cloud image, under a short name",
      command:
        "silk image pull https://cloud.debian.org/images/cloud/trixie/latest/debian-13-generic-amd64.qcow2 --name debian-13",
    },
    {
      description: "several, and only those that are not here",
      command: "silk image pull --policy missing web:1.4 db:2",
    },
  ];
  static override args = {
    image: string({
      description: "name in a registry, or URL of a disk",
      required: true,
      multiple: true,
      ignoreStdin: true,
    }),
  };
  static override flags = {
    policy: option({
      aliases: ["pull"],
      options: ["always", "missing"] as const,
      description:
        "`missing` takes what is here by that name; `always` asks whether there is a newer one [default: always]",
    })(),
    name: text({
      description: "name to give to it here [default: the one that it is pulled by]",
      helpValue: "NAME",
    }),
    checksum: text({
      description: "what the file of a cloud image must have, where you know it",
      helpValue: "sha256:HEX",
    }),
    "plain-http": boolean({
      description: "ask without encryption, also servers that are not this machine",
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ImagePull);
    const { policy, name, checksum, json } = flags;
    for (const flag of ["name", "checksum"] as const)
      if (args.image.length > 1 && flags[flag] !== undefined)
        throw usageError(`--${flag} is for one image, and here are ${args.image.length}`);
    await using open = await openEngine(flags, this.config);
    await using images = await openImagesOf(open);
    const { familiarName } = await import("@silkvm/images");
    await eachInTurn(
      args.image,
      json,
      async (wanted) => {
        const words = { doing: `pulling ${wanted}`, failed: `cannot pull ${wanted}` };
        const { image, changed } = await takeImage(open, words, (call) =>
          images.pull(wanted, { ...call, policy, name, checksum, plainHttp: flags["plain-http"] }),
        );
        const known = familiarName(image.ref);
        open.note(
          changed
            ? `${known} is ${image.type}, ${formatSize(image.sizeBytes)}.`
            : `${known} is up to date.`,
        );
        return { name: known, changed, ...image };
      },
      ({ name: known }) => [known],
    );
  }
}

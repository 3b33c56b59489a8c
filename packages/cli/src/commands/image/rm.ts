import { SilkCommand } from "../../base-command.ts";
import { eachInTurn } from "../../each-in-turn.ts";
import { openEngine } from "../../engine.ts";
import { someImages } from "../../flags/image-args.ts";
import { usersOf } from "../../images/image-view.ts";
import { openImagesOf } from "../../images/open-images.ts";
import { removalNote } from "../../images/removal-note.ts";
import { listWords } from "../../list-words.ts";

export default class ImageRm extends SilkCommand {
  static override summary = "remove images and print the names that are gone";
  static override description =
    "What nothing else needs is deleted with it. VMs and snapshots of it live on: what they need stays until they are removed, and `silk gc` deletes it then. A name takes that name away; a digest takes all names of the image away.";
  static override usage = "<%= command.id %> IMAGE...";
  static override examples = [
    { description: "by name", command: "silk image rm ghcr.io/acme/web:1.4" },
    { description: "under all of its names", command: "silk image rm 4f2c9a" },
    { description: "all", command: "silk image rm $(silk image list --quiet)" },
  ];
  static override args = someImages;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ImageRm);
    await using open = await openEngine(flags, this.config);
    await using images = await openImagesOf(open);
    const { familiarName } = await import("@silkvm/images");
    await eachInTurn(
      args.image,
      flags.json,
      async (name) => {
        const { onWarning, signal } = open.change(`removing ${name}`);
        const { image, refs, freed, kept } = await images.remove(name, { signal });
        const { digest } = image;
        const stillHere = images.list().filter((other) => other.digest === digest);
        const usedBy = usersOf(digest, await open.engine.blobReferences(open.call()));
        if (stillHere.length === 0 && usedBy.length > 0)
          onWarning?.(
            `${listWords(usedBy)} ${usedBy.length === 1 ? "was" : "were"} made of ${name}: what is needed of it stays until ${usedBy.length === 1 ? "that is" : "those are"} removed`,
          );
        const names = refs.map(familiarName);
        const otherNames = stillHere.map(({ ref }) => familiarName(ref));
        open.note(removalNote({ names, otherNames, freed, kept }));
        return { names, digest, freed, kept, usedBy, otherNames };
      },
      ({ names }) => names,
    );
  }
}

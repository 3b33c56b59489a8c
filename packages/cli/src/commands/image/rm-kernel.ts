import { string } from "@oclif/core/args";
import { SilkCommand } from "../../base-command.ts";
import { eachInTurn } from "../../each-in-turn.ts";
import { openEngine } from "../../engine.ts";
import { openImagesOf } from "../../images/open-images.ts";

export default class ImageRmKernel extends SilkCommand {
  static override summary = "remove kernels that were imported and print their names";
  static override description = "VMs that boot one keep it until they are removed.";
  static override usage = "<%= command.id %> NAME...";
  static override examples = [
    { description: "by name", command: "silk image rm-kernel debian-6.12" },
  ];
  static override args = {
    name: string({
      description: "name of a kernel that was imported",
      required: true,
      multiple: true,
      ignoreStdin: true,
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ImageRmKernel);
    await using open = await openEngine(flags, this.config);
    await using images = await openImagesOf(open);
    await eachInTurn(
      args.name,
      flags.json,
      async (name) => {
        const { signal } = open.change(`removing ${name}`);
        const { freed, kept } = await images.removeKernel(name, { signal });
        return { name, freed, kept };
      },
      ({ name }) => [name],
    );
  }
}

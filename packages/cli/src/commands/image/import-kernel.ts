import { resolve } from "node:path";
import { string as arg } from "@oclif/core/args";
import { string } from "@oclif/core/flags";
import { SilkCommand } from "../../base-command.ts";
import { openEngine } from "../../engine.ts";
import { openImagesOf } from "../../images/open-images.ts";
import { printJson, printLine } from "../../output/stdout.ts";

export default class ImageImportKernel extends SilkCommand {
  static override summary = "take a kernel for containers, which have none, and print its name";
  static override description =
    "A kernel with its modules (--modules), one that has all it needs built in, or Debian's package of one, which has both. It is copied, and is the default for VMs of containers' images from then on; those that are there keep theirs. It needs EROFS, overlayfs, ext4 and virtio.";
  static override usage = "<%= command.id %> FILE [FLAGS]";
  static override examples = [
    {
      description: "a kernel and its modules",
      command: "silk image import-kernel vmlinuz --modules lib/modules/6.12.1",
    },
    {
      description: "Debian's package",
      command: "silk image import-kernel linux-image-6.12.1-amd64.deb --name debian-6.12",
    },
  ];
  static override args = {
    file: arg({
      description: "vmlinuz, vmlinux, or a .deb",
      required: true,
      ignoreStdin: true,
    }),
  };
  static override flags = {
    name: string({ description: "name to give to it [default: its version]", helpValue: "NAME" }),
    modules: string({ description: "directory of its modules", helpValue: "DIR" }),
    busybox: string({
      description: "a static busybox to go with it [default: this machine's]",
      helpValue: "FILE",
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ImageImportKernel);
    const { name, modules, busybox, json } = flags;
    await using open = await openEngine(flags, this.config);
    await using images = await openImagesOf(open);
    const { signal } = open.change(`importing ${args.file}`);
    const record = await images.importKernel(args.file, {
      signal,
      name,
      modules: modules === undefined ? undefined : resolve(modules),
      busybox: busybox === undefined ? undefined : resolve(busybox),
    });
    if (json) printJson(record);
    else printLine(record.name);
  }
}

import { SilkCommand } from "../../base-command.ts";
import { openEngine } from "../../engine.ts";
import { openImagesOf } from "../../images/open-images.ts";
import { print, printJson, terminalWidth } from "../../output/stdout.ts";
import { renderTable } from "../../output/table.ts";

export default class ImageKernels extends SilkCommand {
  static override summary = "list the kernels that containers can be run with";
  static override description =
    "Those that were imported, the last one first, then those of this machine, with what stands in their way. The first that can is what new VMs of containers' images boot.";
  static override examples = [
    { description: "which one is used, and why", command: "silk image kernels" },
  ];

  async run(): Promise<void> {
    const { flags } = await this.parse(ImageKernels);
    await using open = await openEngine(flags, this.config);
    await using images = await openImagesOf(open);
    const kernels = await images.listKernels({ signal: open.call().signal });
    if (flags.json) {
      printJson(kernels);
      return;
    }
    const columns = [
      { header: "NAME", cell: ({ name }: (typeof kernels)[number]) => name },
      { header: "VERSION", cell: ({ version }: (typeof kernels)[number]) => version },
      {
        header: "FROM",
        cell: ({ origin, path }: (typeof kernels)[number]) =>
          origin === "host" ? (path ?? "this machine") : "imported",
      },
      {
        header: "STATE",
        cell: ({ isDefault, problem }: (typeof kernels)[number]) =>
          isDefault ? "default" : (problem?.message ?? "usable"),
      },
    ];
    print(renderTable(columns, kernels, { width: terminalWidth() }));
  }
}

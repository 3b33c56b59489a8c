import { SilkCommand } from "../../base-command.ts";
import { openEngine } from "../../engine.ts";
import { vmSpecFlags } from "../../flags/vm-spec.ts";
import { printJson, printLine } from "../../output/stdout.ts";
import { toVmSpec } from "../../vm-spec.ts";

export default class VmCreate extends SilkCommand {
  static override summary = "make a VM and print its id; nothing runs yet";
  static override description =
    "A comma in a path or a value of --disk and --data-disk is written twice. Anything that fails leaves nothing behind.";
  static override usage = "<%= command.id %> (--kernel FILE | --firmware FILE) [FLAGS]";
  static override examples = [
    {
      description: "a kernel, an initial ramdisk and a disk",
      command: "silk vm create --name web --kernel vmlinux --initrd initrd.img --disk root.raw",
    },
    {
      description: "an image with a boot loader of its own",
      command: "silk vm create --firmware CLOUDHV.fd --disk debian.qcow2 --cpus 4 --memory 8G",
    },
    {
      description: "two NICs on a bridge of this host",
      command: "silk vm create --kernel vmlinux --disk root.raw --bridge br0 --nics 2",
    },
    {
      description: "a second disk that is made, and deleted, with the VM",
      command: "silk vm create --kernel vmlinux --data-disk size=20G,name=db,mount=/srv",
    },
  ];
  static override flags = vmSpecFlags;

  async run(): Promise<void> {
    const { flags } = await this.parse(VmCreate);
    const spec = toVmSpec(flags);
    await using open = await openEngine(flags, this.config);
    const { id, name } = await open.engine.create(spec, open.change("making the VM"));
    if (flags.json) printJson({ id, name });
    else printLine(id);
  }
}

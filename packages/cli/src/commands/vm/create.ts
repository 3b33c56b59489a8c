import { SilkCommand } from "../../base-command.ts";
import { openEngine } from "../../engine.ts";
import { maybeImage } from "../../flags/image-args.ts";
import { vmSpecFlags } from "../../flags/vm-spec.ts";
import { printJson, printLine } from "../../output/stdout.ts";
import { makeVm } from "../../run/make-vm.ts";
import { imageAndCommand } from "../../run/image-last.ts";
import { readVmSpec } from "../../vm-spec.ts";

export default class VmCreate extends SilkCommand {
  static override summary = "make a VM and print its id; nothing runs yet";
  static override description =
    "An image is fetched where it is not here (`silk image pull`); what the VM needs of it stays as long as the VM does. What stands behind IMAGE is what a container's image is to run. A comma in a path or a value of --disk and --data-disk is written twice. Anything that fails leaves nothing behind.";
  static override usage = [
    "<%= command.id %> [FLAGS] IMAGE [COMMAND...]",
    "<%= command.id %> (--kernel FILE | --firmware FILE) [FLAGS]",
  ];
  static override strict = false;
  static override examples = [
    {
      description: "an image of a VM, fetched where it is not here",
      command: "silk vm create --name web ghcr.io/acme/web:1.4",
    },
    {
      description: "a container with a program of your choice",
      command: "silk vm create --name job --env MODE=fast debian:12 sleep 60",
    },
    {
      description: "a kernel, an initial ramdisk and a disk",
      command: "silk vm create --name web --kernel vmlinux --initrd initrd.img --disk root.raw",
    },
    {
      description: "a disk with a boot loader of its own",
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
  static override args = maybeImage;
  static override flags = vmSpecFlags;

  async run(): Promise<void> {
    const { flags } = await this.parse(VmCreate);
    const words = imageAndCommand(this.argv);
    const { spec, volumes } = await readVmSpec(flags, words);
    await using open = await openEngine(flags, this.config);
    const { id, name } = await makeVm(open, spec, volumes);
    if (flags.json) printJson({ id, name });
    else printLine(id);
  }
}

import { SilkCommand } from "../../base-command.ts";
import { openEngine } from "../../engine.ts";
import { toFailure } from "../../failure/failure.ts";
import { maybeImage } from "../../flags/image-args.ts";
import { vmSpecFlags } from "../../flags/vm-spec.ts";
import { say } from "../../output/stderr.ts";
import { printJson, printLine } from "../../output/stdout.ts";
import { readVmSpec } from "../../vm-spec.ts";

export default class VmRun extends SilkCommand {
  static override summary = "make a VM, start it and print its id";
  static override description =
    "Takes what `silk vm create` takes. A VM that was made and does not start stays, for its logs; `silk vm rm` removes it.";
  static override usage = "<%= command.id %> (IMAGE | --kernel FILE | --firmware FILE) [FLAGS]";
  static override examples = [
    {
      description: "an image of a VM, in a network",
      command: "silk vm run ghcr.io/acme/web:1.4 --name web --bridge br0",
    },
    {
      description: "a cloud image, to log in to by SSH",
      command:
        "silk vm run https://cloud.debian.org/images/cloud/trixie/latest/debian-13-generic-amd64.qcow2 --name deb --bridge br0 --ssh-key ~/.ssh/id_ed25519.pub",
    },
    {
      description: "boot a kernel and look at its console",
      command: "silk vm console $(silk vm run --kernel vmlinux --initrd initrd.img)",
    },
    {
      description: "in a CNI network, with a MAC of your choice",
      command: "silk vm run --kernel vmlinux --network pods --mac 02:00:00:00:00:01",
    },
    {
      description: "a name, labels and more room",
      command: "silk vm run --name web --label team=web --kernel vmlinux --memory 2G",
    },
  ];
  static override args = maybeImage;
  static override flags = vmSpecFlags;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(VmRun);
    const spec = await readVmSpec(flags, args.image);
    await using open = await openEngine(flags, this.config);
    const vm = await open.engine.create(spec, open.change("making the VM"));
    const { id, name } = vm;
    try {
      await vm.start(open.change(`starting ${name}`));
    } catch (error) {
      if (!flags.json) {
        say(`The VM ${name} (${id}) is made, and does not run.`);
        throw error;
      }
      const failure = toFailure(error, this.id);
      process.exitCode = failure.exitCode;
      printJson({ id, name, error: failure.error });
      return;
    }
    if (flags.json) printJson({ id, name });
    else printLine(id);
  }
}

import { resolve } from "node:path";
import { boolean, string } from "@oclif/core/flags";
import { SilkCommand } from "../../../base-command.ts";
import { usageError } from "../../../cli-error.ts";
import { diskView } from "../../../disk-list-view.ts";
import { openEngine } from "../../../engine.ts";
import { keepFlag } from "../../../flags/device.ts";
import { oneVm } from "../../../flags/vm-args.ts";
import { printJson, printLine } from "../../../output/stdout.ts";

export default class VmDiskAttach extends SilkCommand {
  static override summary = "add a disk to a running VM and print its id";
  static override description =
    "The disk is a raw image, or a block device, that is there already; silk never deletes it. It is gone from the VM when the VM ends, unless --keep is given. In the guest its serial is its name: /dev/disk/by-id/virtio-NAME.";
  static override usage = "<%= command.id %> VM --path FILE --name NAME [FLAGS]";
  static override examples = [
    {
      description: "make a disk and add it",
      command:
        "truncate -s 20G backup.raw && silk vm disk attach web --path backup.raw --name backup",
    },
    {
      description: "one that the guest cannot write, at each start",
      command: "silk vm disk attach web --path tools.raw --name tools --readonly --keep",
    },
  ];
  static override args = oneVm;
  static override flags = {
    path: string({
      description: "the raw image, or the block device",
      helpValue: "FILE",
      required: true,
    }),
    name: string({
      description: "name of the disk in the VM, and its serial in the guest",
      helpValue: "NAME",
      required: true,
    }),
    readonly: boolean({ description: "the guest cannot write it" }),
    "no-direct-io": boolean({
      description: "let the host cache it, as some file systems (tmpfs) need it",
    }),
    keep: keepFlag,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(VmDiskAttach);
    const { name, readonly, keep, json } = flags;
    if (flags.path === "") throw usageError("--path: the path is missing");
    const path = resolve(flags.path);
    await using open = await openEngine(flags, this.config);
    const { diskKind } = await import("@silkvm/storage");
    const disk = await open.engine.devices.attach(
      args.vm,
      diskKind,
      { path, name, readonly, ...(flags["no-direct-io"] ? { directIo: false } : {}) },
      { ...open.change(`attaching ${name} to ${args.vm}`), keep },
    );
    if (json) printJson(diskView(disk));
    else printLine(disk.id);
  }
}

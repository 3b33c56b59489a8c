import { string } from "@oclif/core/flags";
import { SilkCommand } from "../../base-command.ts";
import { openEngine } from "../../engine.ts";
import { oneVm } from "../../flags/vm-args.ts";
import { formatMs } from "../../output/format-ms.ts";
import { printJson, printLine } from "../../output/stdout.ts";

export default class SnapshotSave extends SilkCommand {
  static override summary = "save a running VM and print the snapshot's id; the VM runs on";
  static override description =
    "Memory and disks of one moment. The guest stands still while they are saved; where anything fails it runs on and there is no snapshot. With --json also how long each part took: timings.pauseMs is how long the guest stood still.";
  static override examples = [
    { description: "a name is made of the VM's", command: "silk snapshot save web" },
    {
      description: "a name and words of your own",
      command: 'silk snapshot save web --name golden --description "after the first request"',
    },
  ];
  static override args = oneVm;
  static override flags = {
    name: string({
      description: "name of the snapshot [default: the VM's and a number]",
      helpValue: "NAME",
    }),
    description: string({ description: "what it is, for people", helpValue: "TEXT" }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SnapshotSave);
    const { name, description, json } = flags;
    await using open = await openEngine(flags, this.config);
    const options = open.change(`saving ${args.vm}`);
    const saved = await open.engine.snapshots.save(args.vm, { ...options, name, description });
    if (json) printJson(saved);
    else printLine(saved.id);
    const { pauseMs } = saved.timings;
    if (process.stderr.isTTY && pauseMs !== undefined)
      open.note(`Saved as ${saved.name}; the guest stood still for ${formatMs(pauseMs)}.`);
  }
}

import { string } from "@oclif/core/flags";
import { SilkCommand } from "../../base-command.ts";
import { openEngine } from "../../engine.ts";
import { oneVm } from "../../flags/vm-args.ts";
import { printJson, printLine } from "../../output/stdout.ts";

export default class VmHibernate extends SilkCommand {
  static override summary = "save a running VM, end it and print its id";
  static override description =
    "The guest stands still, is saved, and its VMM ends only when the snapshot is safe on the disk: `silk vm wake` goes on from the very same moment. Without --name the snapshot is removed when the VM wakes.";
  static override examples = [
    { description: "give its memory back for now", command: "silk vm hibernate web" },
    {
      description: "keep the snapshot, to clone it too",
      command: "silk vm hibernate web --name web-idle",
    },
  ];
  static override args = oneVm;
  static override flags = {
    name: string({
      description:
        "name of the snapshot, which is then kept [default: one that goes with the wake]",
      helpValue: "NAME",
    }),
    description: string({ description: "what it is, for people", helpValue: "TEXT" }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(VmHibernate);
    const { name, description, json } = flags;
    await using open = await openEngine(flags, this.config);
    const options = open.change(`saving ${args.vm} and ending it`);
    const snapshot = await open.engine.hibernate(args.vm, { ...options, name, description });
    if (json) printJson({ id: snapshot.vmId, name: snapshot.vmName, snapshot });
    else printLine(snapshot.vmId);
  }
}

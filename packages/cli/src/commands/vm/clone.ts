import { string } from "@oclif/core/flags";
import { SilkCommand } from "../../base-command.ts";
import { cloneMany, printClones } from "../../clone-many.ts";
import { usageError } from "../../cli-error.ts";
import { openEngine } from "../../engine.ts";
import { loadFlags } from "../../flags/load.ts";
import { maybeSnapshot } from "../../flags/snapshot-args.ts";
import { integerFlag } from "../../flags/values.ts";
import { snapshotWords, toLoadOptions, toSnapshotRef } from "../../load-options.ts";
import { limitsLine, toLoadedView } from "../../load-view.ts";
import { printJson, printLine } from "../../output/stdout.ts";
import { parseLabels } from "../../parse/labels.ts";

export default class VmClone extends SilkCommand {
  static override summary = "bring up new VMs from a snapshot, and print their ids";
  static override description =
    "A clone goes on where the snapshot was taken, with disks, an identity and NICs of its own. Where it can be, its memory is mapped copy-on-write: it is there in no time and takes next to no room, whatever its size; what such a VM cannot do is said, and --restore-mode copy avoids that. With --count clones are made side by side; each is tried, and the exit code is that of the first failure. With --json also how each got its memory, and how long each part took: an object, or with --count an array.";
  static override usage = "<%= command.id %> (SNAPSHOT | --from-dir DIR) [FLAGS]";
  static override examples = [
    { description: "one clone", command: "silk vm clone golden --name web" },
    {
      description: "twenty, named web-1 to web-20",
      command: "silk vm clone golden --name web --count 20",
    },
    {
      description: "memory of its own, read before the guest runs",
      command: "silk vm clone golden --restore-mode copy",
    },
    {
      description: "from a directory that was brought here",
      command: "silk vm clone --from-dir /backup/golden --allow-path /images",
    },
  ];
  static override args = maybeSnapshot;
  static override flags = {
    name: string({
      description: "name of the VM; with --count the beginning of their names: NAME-1, NAME-2, …",
      helpValue: "NAME",
    }),
    id: string({
      description: "id of the VM, for a clone that can be repeated [default: random]",
      helpValue: "ID",
    }),
    count: integerFlag({ description: "how many to make [default: 1]", min: 1 }),
    nics: integerFlag({ description: "number of NICs [default: as the snapshot has]" }),
    bridge: string({
      description:
        "a bridge that its NICs are ports of [default: the network of the snapshot's VM]",
      helpValue: "NAME",
    }),
    network: string({
      description:
        "a CNI network that its NICs are in, instead of a bridge; KIND:NAME for one of a plugin's",
      helpValue: "NAME",
    }),
    label: string({
      description: "a label besides those that the snapshot's VM had; can be given more than once",
      helpValue: "KEY=VALUE",
      multiple: true,
      multipleNonGreedy: true,
    }),
    ...loadFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(VmClone);
    const from = toSnapshotRef(args.snapshot, flags["from-dir"]);
    const { name, id, count, nics, bridge, network } = flags;
    if (count !== undefined && id !== undefined)
      throw usageError("--id and --count do not go together", "An id is that of one VM.");
    const labels = flags.label === undefined ? undefined : parseLabels(flags.label);
    const wanted = { ...toLoadOptions(flags), name, id, nics, bridge, network, labels };
    await using open = await openEngine(flags, this.config);
    if (count !== undefined) {
      const clones = await cloneMany(open, from, { ...wanted, count });
      printClones(open, clones, flags.json);
      return;
    }
    const options = open.change(`cloning ${snapshotWords(from)}`);
    const view = toLoadedView(await open.engine.clone(from, { ...options, ...wanted }));
    if (flags.json) printJson(view);
    else printLine(view.id);
    const limits = limitsLine(view);
    if (limits !== undefined) open.note(limits);
  }
}

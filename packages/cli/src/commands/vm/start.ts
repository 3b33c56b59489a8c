import { boolean } from "@oclif/core/flags";
import { SilkCommand } from "../../base-command.ts";
import { printBatch } from "../../batch-result.ts";
import { CliError, usageError } from "../../cli-error.ts";
import { type OpenEngine, openEngine } from "../../engine.ts";
import { someVms } from "../../flags/vm-args.ts";
import { listWords } from "../../list-words.ts";
import {
  checkTerminal,
  endsWithProgram,
  follow,
  type FollowOptions,
  ownFailure,
} from "../../run/follow.ts";

export default class VmStart extends SilkCommand {
  static override summary = "start VMs and print their ids; one that runs is a success";
  static override description =
    "A VM that hibernates goes on with `silk vm wake`; it is refused here without --cold, which gives up what was in its memory. With --attach silk waits for the program of a container's VM: what that writes goes to stdout and stderr, its exit code is that of silk, and what silk itself fails at is 125.";
  static override usage = "<%= command.id %> VM...";
  static override examples = [
    { description: "one VM, by name", command: "silk vm start web" },
    {
      description: "a container's, with its output and exit code",
      command: "silk vm start --attach job",
    },
    {
      description: "all that have stopped",
      command: "silk vm start $(silk vm list --quiet --filter state=stopped)",
    },
  ];
  static override args = someVms;
  static override flags = {
    cold: boolean({ description: "boot a VM that hibernates from its disks" }),
    attach: boolean({
      char: "a",
      description: "of one container's VM: wait for its program, as `silk vm run` does",
    }),
    interactive: boolean({
      char: "i",
      description: "with --attach, which it implies: let the program read stdin",
    }),
  };

  #waits = false;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(VmStart);
    this.#waits = flags.attach || flags.interactive;
    if (this.#waits && args.vm.length > 1) throw usageError("--attach is for one VM");
    await using open = await openEngine(flags, this.config, { runsProgram: this.#waits });
    if (this.#waits) return await attachTo(open, args.vm[0] as string, flags);
    const options = open.change(`starting ${listWords(args.vm)}`);
    const result = await open.engine.start(args.vm, { ...options, cold: flags.cold });
    printBatch(result, flags.json);
  }

  protected override failureExitCode(): number | undefined {
    return this.#waits ? ownFailure : undefined;
  }
}

async function attachTo(
  open: OpenEngine,
  ref: string,
  { interactive, cold, json }: Omit<FollowOptions, "tty">,
): Promise<void> {
  const vm = await open.engine.get(ref);
  const view = await vm.inspect(open.call());
  if (!endsWithProgram(view))
    throw usageError(
      `--attach is for a container's VM, and ${vm.name} is none`,
      `Start it, and look at its console: silk vm console ${vm.name}`,
    );
  if (view.state === "running")
    throw new CliError(`the VM ${vm.name} runs already, and what it has written is gone`, {
      code: "VM_RUNNING",
      kind: "conflict",
      hint: `What it writes from now on: silk vm console ${vm.name}`,
      details: { id: vm.id, name: vm.name },
    });
  const tty = view.config.run?.tty ?? false;
  checkTerminal(interactive, tty);
  await follow(open, vm, { tty, interactive, cold, json });
}

import { isSilkError } from "@silkvm/core/errors";
import type { Vm } from "@silkvm/core";
import { SilkCommand } from "../../base-command.ts";
import { usageError } from "../../cli-error.ts";
import { type OpenEngine, openEngine } from "../../engine.ts";
import { toFailure } from "../../failure/failure.ts";
import { maybeImage } from "../../flags/image-args.ts";
import { vmRunFlags } from "../../flags/vm-spec.ts";
import { say } from "../../output/stderr.ts";
import { printJson, printLine } from "../../output/stdout.ts";
import { checkTerminal, endsWithProgram, follow, ownFailure } from "../../run/follow.ts";
import { makeVm } from "../../run/make-vm.ts";
import { imageAndCommand } from "../../run/image-last.ts";
import { readVmSpec } from "../../vm-spec.ts";

interface RunFlags {
  readonly json: boolean;
  readonly tty: boolean;
  readonly interactive: boolean;
  readonly detach: boolean;
  readonly rm: boolean;
}

export default class VmRun extends SilkCommand {
  static override summary = "make a VM and start it";
  static override description =
    "A container's image is run as `docker run` does it, in a VM of its own: what its program writes goes to stdout and stderr, and its exit code is that of silk (128 and the number of a signal that ended it; 126 and 127 where the program cannot be run or is not there, 125 where the guest or silk could not get so far). What stands behind IMAGE is the command, flags included: those of silk stand in front. With --detach, and of any other image or kernel, the id is printed, and silk does not wait. With --json what the program writes goes to stderr, and how it ended to stdout. Ctrl-C stops the VM in order, a second one at once. --timeout is for the start alone. A VM that does not start stays, for its logs, unless --rm is given; `silk vm rm` removes it.";
  static override usage = [
    "<%= command.id %> [FLAGS] IMAGE [COMMAND...]",
    "<%= command.id %> (--kernel FILE | --firmware FILE) [FLAGS]",
  ];
  static override examples = [
    { description: "a shell in a container", command: "silk vm run --rm -it debian:12 bash" },
    {
      description: "a program, with what it needs of this host",
      command: "silk vm run --rm -e TOKEN -v ./src:/src:ro -w /src node:24 npm test",
    },
    {
      description: "a service in the background, in a network",
      command: "silk vm run --detach --name web --bridge br0 nginx:1",
    },
    {
      description: "an image of a VM, in a network",
      command: "silk vm run --name web --bridge br0 ghcr.io/acme/web:1.4",
    },
    {
      description: "a cloud image, to log in to by SSH",
      command:
        "silk vm run --name deb --bridge br0 --ssh-key ~/.ssh/id_ed25519.pub https://cloud.debian.org/images/cloud/trixie/latest/debian-13-generic-amd64.qcow2",
    },
    {
      description: "boot a kernel and look at its console",
      command: "silk vm console $(silk vm run --kernel vmlinux --initrd initrd.img)",
    },
    {
      description: "in a CNI network, with a MAC of your choice",
      command: "silk vm run --kernel vmlinux --network pods --mac 02:00:00:00:00:01",
    },
  ];
  static override args = maybeImage;
  static override strict = false;
  static override flags = vmRunFlags;

  /** Whether silk is to wait for a program, as far as it is known. */
  #waits = !detaches(this.argv);

  async run(): Promise<void> {
    const { flags } = await this.parse(VmRun);
    const words = imageAndCommand(this.argv);
    this.#waits = words.length > 0 && !flags.detach;
    checkFlags(flags, words.length > 0);
    const { spec, volumes } = await readVmSpec(flags, words);
    await using open = await openEngine(flags, this.config, { runsProgram: this.#waits });
    const vm = await makeVm(open, spec, volumes);
    const isFollowable = endsWithProgram(await vm.inspect());
    if (!isFollowable) this.#waits = false;
    if (!isFollowable && (flags.rm || flags.interactive)) {
      await vm.delete({ force: true });
      throw usageError(`--${flags.rm ? "rm" : "interactive"} is for a container's image alone`);
    }
    let isMade = true;
    try {
      if (this.#waits) await follow(open, vm, flags);
      else await this.#start(open, vm, flags);
    } catch (error) {
      // Its directories are a part of what it was to be.
      isMade = !failedAtDevice(error);
      if (!flags.rm && isMade && !flags.json && (await runsNot(vm)))
        say(`The VM ${vm.name} (${vm.id}) is made, and does not run.`);
      throw error;
    } finally {
      // Also after an interrupt: the caller's signal is of no account here.
      if (flags.rm || !isMade) await removeAtEnd(vm);
    }
  }

  protected override failureExitCode(): number | undefined {
    return this.#waits ? ownFailure : undefined;
  }

  async #start(open: OpenEngine, vm: Vm, { json }: RunFlags): Promise<void> {
    const { id, name } = vm;
    try {
      await vm.start(open.change(`starting ${name}`));
    } catch (error) {
      if (!json || failedAtDevice(error)) throw error;
      const failure = toFailure(error, this.id);
      process.exitCode = failure.exitCode;
      printJson({ id, name, error: failure.error });
      return;
    }
    if (json) printJson({ id, name });
    else printLine(id);
  }
}

/** Whether a command line has `--detach`, as far as that can be told of one that may be wrong. */
function detaches(argv: readonly string[]): boolean {
  const dashes = argv.indexOf("--");
  const flags = dashes === -1 ? argv : argv.slice(0, dashes);
  return flags.some((word) => /^(?:--detach|-[it]*d[it]*)$/.test(word));
}

function checkFlags({ interactive, tty, detach, rm }: RunFlags, hasImage: boolean): void {
  if (rm && detach)
    throw usageError(
      "--rm and --detach do not go together: nobody is there to remove the VM at its end",
      "Remove it later: silk vm rm NAME",
    );
  if (interactive && detach)
    throw usageError("--interactive and --detach do not go together: nobody is there to read from");
  checkTerminal(interactive, tty);
  if ((rm || interactive) && !hasImage)
    throw usageError(
      `--${rm ? "rm" : "interactive"} is for a container's image, and no image is named`,
    );
}

function failedAtDevice(error: unknown): boolean {
  return isSilkError(error) && error.details?.["deviceId"] !== undefined;
}

async function runsNot(vm: Vm): Promise<boolean> {
  return (await vm.inspect().catch(() => undefined))?.state !== "running";
}

/** Somebody else may have removed it already. */
async function removeAtEnd(vm: Vm): Promise<void> {
  try {
    await vm.delete({ force: true });
  } catch (error) {
    if ((error as { code?: unknown }).code !== "VM_NOT_FOUND") throw error;
  }
}

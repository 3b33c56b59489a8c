import { SilkCommand } from "../../base-command.ts";
import { openEngine } from "../../engine.ts";
import { eachInTurn } from "../../each-in-turn.ts";
import { someVms } from "../../flags/vm-args.ts";

export default class VmWait extends SilkCommand {
  static override summary = "wait until VMs do not run any more and print their exit codes";
  static override description =
    "For each VM one line: the exit code of a container's program, or a dash where the VM has none. One that does not run is not waited for. --timeout bounds the wait.";
  static override usage = "<%= command.id %> VM...";
  static override examples = [
    { description: "the exit code of a job in the background", command: "silk vm wait job" },
    { description: "of several, as objects", command: "silk vm wait job-1 job-2 --json" },
  ];
  static override args = someVms;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(VmWait);
    await using open = await openEngine(flags, this.config);
    await eachInTurn(
      args.vm,
      flags.json,
      async (ref) => {
        const { id, name, state, exitCode, exitSignal } = await open.engine.wait(ref, open.call());
        return {
          id,
          name,
          state,
          exitCode: exitCode ?? null,
          ...(exitSignal === undefined ? {} : { exitSignal }),
        };
      },
      ({ exitCode }) => [exitCode === null ? "-" : String(exitCode)],
    );
  }
}

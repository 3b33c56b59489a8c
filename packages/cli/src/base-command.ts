import { Command } from "@oclif/core/command";
import { rememberCommand } from "./exit.ts";
import { globalFlags } from "./flags/global.ts";

/** What every command of ours has: the global flags. Failures go up to `main`, which reports them all in one way. */
export abstract class SilkCommand extends Command {
  static override baseFlags = globalFlags;

  protected override async catch(error: Error): Promise<never> {
    rememberCommand(error, { id: this.id, exitCode: this.failureExitCode() });
    throw error;
  }

  /** The exit code of all that the command fails at but an abort. Undefined: that of the kind of failure. */
  protected failureExitCode(): number | undefined {
    return undefined;
  }
}

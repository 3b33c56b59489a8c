import { Command } from "@oclif/core/command";
import { rememberCommand } from "./exit.ts";
import { globalFlags } from "./flags/global.ts";

/** What every command of ours has: the global flags. Failures go up to `main`, which reports them all in one way. */
export abstract class SilkCommand extends Command {
  static override baseFlags = globalFlags;

  protected override async catch(error: Error): Promise<never> {
    rememberCommand(error, this.id);
    throw error;
  }
}

import { Help } from "@oclif/core/help";
import type { Command } from "@oclif/core/command";
import { unknownCommand } from "./failure/unknown-command.ts";

/** oclif's help, with the global flags last and a suggestion for a command that does not exist. */
export default class SilkHelp extends Help {
  override async showHelp(argv: string[]): Promise<void> {
    try {
      await super.showHelp(argv);
    } catch (error) {
      const id = /^Command (\S+) not found\.$/.exec((error as Error).message)?.[1];
      throw id === undefined ? error : unknownCommand(id, this.config);
    }
  }

  protected override formatCommand(command: Command.Loadable): string {
    const flags = Object.entries(command.flags);
    const isGlobal = ([, { helpGroup }]: (typeof flags)[number]): boolean => helpGroup === "GLOBAL";
    const ordered = [...flags.filter((flag) => !isGlobal(flag)), ...flags.filter(isGlobal)];
    return super.formatCommand({ ...command, flags: Object.fromEntries(ordered) });
  }

  override formatRoot(): string {
    return super.formatRoot().replace(`${this.config.name}/`, `${this.config.bin}/`);
  }
}

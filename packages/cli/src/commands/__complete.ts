import { Command } from "@oclif/core/command";
import { answerCompletion } from "../completion/answer.ts";
import { type Shell, shells } from "../completion/shells.ts";
import { print } from "../output/stdout.ts";

/** What the completion scripts call: `silk __complete SHELL -- WORD…`. Never fails: a shell that completes shows no errors. */
export default class Complete extends Command {
  static override hidden = true;
  static override strict = false;
  static override summary = "answer a shell's completion script";

  async run(): Promise<void> {
    // The words are somebody's unfinished command line: nothing of them is parsed as flags of this command.
    this.parsed = true;
    const [shell, dashes, ...words] = this.argv;
    if (!shells.includes(shell as Shell) || dashes !== "--") return;
    print(await answerCompletion(shell as Shell, words, this.config));
  }
}

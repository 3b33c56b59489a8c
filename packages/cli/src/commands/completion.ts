import { string } from "@oclif/core/args";
import { SilkCommand } from "../base-command.ts";
import { scripts, type Shell, shells } from "../completion/shells.ts";
import { print, printJson } from "../output/stdout.ts";

export default class Completion extends SilkCommand {
  static override summary =
    "print the script that completes silk's commands, flags and VMs in a shell";
  static override examples = [
    { description: "bash, in ~/.bashrc", command: "source <(silk completion bash)" },
    { description: "zsh, in ~/.zshrc after compinit", command: "source <(silk completion zsh)" },
    {
      description: "fish",
      command: "silk completion fish >~/.config/fish/completions/silk.fish",
    },
  ];
  static override args = {
    shell: string({ description: "the shell", options: shells, required: true, ignoreStdin: true }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Completion);
    const script = scripts[args.shell as Shell];
    if (flags.json) printJson({ shell: args.shell, script });
    else print(script);
  }
}

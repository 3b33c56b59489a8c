import { join, resolve } from "node:path";
import { string } from "@oclif/core/args";
import { directory, option } from "@oclif/core/flags";
import { SilkCommand } from "../../base-command.ts";
import { say } from "../../output/stderr.ts";
import { printJson, printLine } from "../../output/stdout.ts";
import { shellQuote } from "../../output/shell-quote.ts";

export default class PluginsCreate extends SilkCommand {
  static override summary = "write a small plugin package to begin with, and print its directory";
  static override description =
    "The package is typed and tested. With the template `backend` it brings a backend whose VMM is a program of Node's that plays a guest, and passes silk's conformance suite as it is: put your VMM in its place step by step. With `hooks` it brings a policy for labels, and a command. The plugin author's guide (docs/plugins.md) goes through both.";
  static override examples = [
    {
      description: "a backend, its tests, and the use of it",
      command:
        "silk plugins create silk-fast && cd silk-fast && npm install && npm test && silk plugins link",
    },
    {
      description: "hooks and a command, in a directory of your choice",
      command: "silk plugins create @acme/silk-policy --template hooks --dir ~/src/policy",
    },
  ];
  static override args = {
    name: string({
      description: "the package's name: silk-fast, @acme/silk-fast",
      required: true,
      ignoreStdin: true,
    }),
  };
  static override flags = {
    dir: directory({
      description: "where to write it: not there yet, or empty [default: its name, here]",
      helpValue: "DIR",
    }),
    template: option({
      options: ["backend", "hooks"] as const,
      default: "backend",
      description: "what it begins as",
    })(),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PluginsCreate);
    const [{ linuxHost }, { createPlugin }] = await Promise.all([
      import("@silkvm/sys"),
      import("../../plugins/create.ts"),
    ]);
    const created = await createPlugin(linuxHost().files, {
      name: args.name,
      template: flags.template,
      directory: resolve(flags.dir ?? args.name.replace(/^@[^/]*\//, "")),
      from: join(this.config.root, "templates"),
      version: this.config.version,
    });
    if (flags.json) return printJson(created);
    printLine(created.directory);
    say(
      `Next: cd ${shellQuote(created.directory)} && npm install && npm test && silk plugins link`,
    );
  }
}

import { boolean } from "@oclif/core/flags";
import { SilkCommand } from "../../base-command.ts";
import { openEngine } from "../../engine.ts";
import { integerFlag } from "../../flags/values.ts";
import { oneVm } from "../../flags/vm-args.ts";
import { splitLines } from "../../output/lines.ts";
import { outputClosed } from "../../output/guard.ts";
import { printable } from "../../output/printable.ts";
import { print, printJson, printNdjson } from "../../output/stdout.ts";

export default class VmLogs extends SilkCommand {
  static override summary = "print what a VM's VMM has written to its log";
  static override description =
    'With --json an array of {"line"}; with --follow one such object on each line. What the guest writes is on its console.';
  static override examples = [
    { description: "the last lines", command: "silk vm logs web --tail 20" },
    { description: "what comes, until Ctrl-C", command: "silk vm logs web --follow" },
  ];
  static override args = oneVm;
  static override flags = {
    follow: boolean({ char: "f", description: "go on with what comes" }),
    tail: integerFlag({ char: "n", description: "only the last lines [default: all]" }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(VmLogs);
    await using open = await openEngine(flags, this.config);
    const { follow, json, tail: tailLines } = flags;
    // A ref that is wrong is told before anything is waited for.
    const { id } = await open.engine.get(args.vm);
    const lines: { readonly line: string }[] = [];
    await open.deadline.follow(
      `the log of ${args.vm}`,
      async (signal) => {
        const chunks = open.engine.logs(id, { signal, tailLines, follow });
        if (!json) {
          for await (const text of chunks) print(process.stdout.isTTY ? printable(text) : text);
          return;
        }
        for await (const line of splitLines(chunks))
          if (follow) printNdjson({ line });
          else lines.push({ line });
      },
      [outputClosed],
    );
    if (json && !follow) printJson(lines);
  }
}

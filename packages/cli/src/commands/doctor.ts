import { boolean } from "@oclif/core/flags";
import { SilkCommand } from "../base-command.ts";
import { Deadline } from "../deadline.ts";
import { hasColor } from "../output/color.ts";
import { Progress } from "../output/progress.ts";
import { print, printJson } from "../output/stdout.ts";

export default class Doctor extends SilkCommand {
  static override summary = "check what silk needs of this host";
  static override description =
    "Each check says what it saw and, where something is wrong, what mends it. Without --fix nothing is changed. The exit code is 1 where something is wrong without which no VM can be made or run, else 0.";
  static override examples = [
    { description: "look", command: "silk doctor" },
    { description: "look, and do what can be done without asking", command: "silk doctor --fix" },
    { description: "for a program", command: "silk doctor --json" },
  ];
  static override flags = {
    fix: boolean({
      description:
        "make missing directories, recover interrupted operations, remove orphans, load modules (as root)",
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Doctor);
    const { examine } = await import("../doctor/examine.ts");
    const { isUtf8, renderReport } = await import("../doctor/render.ts");
    const deadline = new Deadline(flags.timeout);
    let findings: Awaited<ReturnType<typeof examine>> = [];
    {
      using progress = new Progress({ onTerminal: process.stderr.isTTY, silent: flags.json });
      progress.tell("looking at this host");
      await deadline.follow(
        "cannot look at this host",
        async (signal) => {
          findings = await examine({ flags, oclif: this.config, fix: flags.fix, signal });
        },
        [],
      );
    }
    const ok = findings.every(({ status }) => status !== "failed");
    if (flags.json) printJson({ ok, checks: findings });
    else
      print(
        renderReport(findings, { color: hasColor(process.stdout), unicode: isUtf8(process.env) }),
      );
    process.exitCode = ok ? 0 : 1;
  }
}

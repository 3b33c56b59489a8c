import { string } from "@oclif/core/flags";
import { SilkCommand } from "../../base-command.ts";
import { parseEscapeChar } from "../../console/escape.ts";
import { runSession } from "../../console/terminal-session.ts";
import { openEngine } from "../../engine.ts";
import { durationFlag } from "../../flags/values.ts";
import { oneVm } from "../../flags/vm-args.ts";

const defaultIdleMs = 1000;

export default class VmConsole extends SilkCommand {
  static override summary = "talk to the guest on its console";
  static override description =
    "On a terminal every key goes to the guest; the escape character and then `.` leaves, `?` helps, and the escape character again sends it. From a pipe or a file stdin is sent to the guest as it is; the console is left once the guest has been silent for --idle-timeout after stdin's end.";
  static override examples = [
    { description: "log in", command: "silk vm console web" },
    {
      description: "run a command and print the answer",
      command: "printf 'uptime\\n' | silk vm console web",
    },
    {
      description: "read what the guest says until it ends",
      command: "silk vm console web --idle-timeout 0 </dev/null >web.log",
    },
  ];
  static override args = oneVm;
  static override flags = {
    "escape-char": string({
      description: "the escape character: ^] or another ^ with a letter, one character, or none",
      default: "^]",
      helpValue: "CHAR",
    }),
    "idle-timeout": durationFlag({
      description:
        "how long the guest may be silent once stdin has ended, 0 for as long as it lives [default: 1s]",
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(VmConsole);
    const escape = parseEscapeChar(flags["escape-char"]);
    const idle = flags["idle-timeout"] ?? defaultIdleMs;
    await using open = await openEngine(flags, this.config);
    const vm = await open.engine.get(args.vm);
    await using guest = await vm.console(open.call());
    await open.deadline.follow(
      `the console of ${vm.name}`,
      async (signal) => {
        const idleMs = idle === 0 ? undefined : idle;
        await runSession(guest, { vmName: vm.name, escape, idleMs, signal });
      },
      [],
    );
  }
}

import { boolean } from "@oclif/core/flags";
import { SilkCommand } from "../base-command.ts";
import { openEngine } from "../engine.ts";
import { renderEvent } from "../event-view.ts";
import { integerFlag } from "../flags/values.ts";
import { outputClosed } from "../output/guard.ts";
import { print, printNdjson } from "../output/stdout.ts";

export default class Events extends SilkCommand {
  static override summary = "print what has happened to VMs";
  static override description =
    "Each event has a number; --after goes on behind one, so that nothing is missed between two runs. A VM that has ended by itself is noticed here, too. With --json one object on each line.";
  static override examples = [
    { description: "all that is kept", command: "silk events" },
    {
      description: "what happens from now on, for a program",
      command: "silk events --follow --json",
    },
    { description: "go on where the last run ended", command: "silk events --after 42 --follow" },
  ];
  static override flags = {
    after: integerFlag({
      description:
        "only events after this number [default: from the first; with --follow from now]",
    }),
    follow: boolean({ char: "f", description: "go on with what happens, until Ctrl-C" }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Events);
    await using open = await openEngine(flags, this.config);
    const { after, follow, json } = flags;
    await open.deadline.follow(
      "the events",
      async (signal) => {
        for await (const event of open.engine.events({ signal, after, follow }))
          if (json) printNdjson(event);
          else print(renderEvent(event));
      },
      [outputClosed],
    );
  }
}

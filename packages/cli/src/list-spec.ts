import type { CommandSpec } from "./command-spec.ts";

/** `silk vm list` as data. */
export const listSpec = {
  name: ["vm", "list"],
  aliases: [["vm", "ls"]],
  summary: "list VMs",
  description:
    "A filter is id=, name=, state=, image= or backend= (with * for anything), or a label's key=value; label=key means any value. Filters of one key are alternatives, different keys and labels must all hold.",
  examples: [
    { description: "all VMs", command: "silk vm list" },
    {
      description: "the ids of those that run",
      command: "silk vm list --filter state=running --quiet",
    },
    {
      description: "those of one team, for a program",
      command: "silk vm list --filter team=web --json",
    },
  ],
  flags: {
    all: { type: "boolean", char: "a", description: "also VMs that are still being created" },
    filter: {
      type: "option",
      char: "f",
      helpValue: "KEY=VALUE",
      multiple: true,
      description: "only VMs that fit; can be given more than once",
    },
    quiet: { type: "boolean", char: "q", description: "print ids only" },
  },
} as const satisfies CommandSpec;

import type { CommandSpec } from "./command-spec.ts";

/** `silk version` as data. */
export const versionSpec = {
  name: ["version"],
  aliases: [],
  summary: "print the version",
  description: "What each VMM's version is, and what it can do, `silk doctor` tells.",
  examples: [{ description: "for a program", command: "silk version --json" }],
  flags: {},
} as const satisfies CommandSpec;

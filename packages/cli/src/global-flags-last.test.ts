import { expect, it } from "vitest";
import { globalFlagsLast } from "./global-flags-last.ts";

it.each([
  ["--json vm list", "vm list --json"],
  ["--root-dir /r --json vm list -q", "vm list -q --root-dir /r --json"],
  ["--root-dir=/r --timeout 3s vm stop web", "vm stop web --root-dir=/r --timeout 3s"],
  ["--no-wait vm start -- web", "vm start --no-wait -- web"],
  // Nothing to move, or nothing that is known.
  ["vm list --json", "vm list --json"],
  ["--json", "--json"],
  ["--root-dir", "--root-dir"],
  ["--version", "--version"],
  ["--name x vm list", "--name x vm list"],
  ["--json=true vm list", "--json=true vm list"],
  ["", ""],
])("%s is %s", (typed, taken) => {
  expect(globalFlagsLast(typed.split(" ")).join(" ")).toBe(taken);
});

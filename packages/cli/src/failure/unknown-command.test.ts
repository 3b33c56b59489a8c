import { expect, it } from "vitest";
import { unknownCommand } from "./unknown-command.ts";

const commands = ["vm:list", "vm:ls", "vm:start", "vm:stop", "config:get", "version", "help"].map(
  (id) => ({ id }),
);

it.each([
  ["vm:lits", 'there is no command "vm lits"', "Did you mean `silk vm list`?"],
  ["vm:lits:web", 'there is no command "vm lits"', "Did you mean `silk vm list`?"],
  ["vmm:list", 'there is no command "vmm"', "Did you mean `silk vm`?"],
  ["verison", 'there is no command "verison"', "Did you mean `silk version`?"],
  ["vm:frobnicate", 'there is no command "vm frobnicate"', "`silk vm --help` shows the commands."],
  ["xyzzy", 'there is no command "xyzzy"', "`silk --help` shows the commands."],
  [
    "vm:list:foo",
    '`silk vm list` takes no argument "foo"',
    "`silk vm list --help` shows how it is used.",
  ],
])("%s: %s (%s)", (id, message, hint) => {
  expect(unknownCommand(id, { commands })).toMatchObject({ message, hint, kind: "invalid" });
});

it("shows a word with colons as it was typed", () => {
  const argv = ["vm", "start", "debian:12", "--json"];
  expect(unknownCommand("vm:start:debian:12", { commands }, argv).message).toBe(
    '`silk vm start` takes no argument "debian:12"',
  );
});

it("suggests no hidden command", () => {
  const hidden = [{ id: "__complete", hidden: true }];
  expect(unknownCommand("__complet", { commands: hidden }).hint).toBe(
    "`silk --help` shows the commands.",
  );
});

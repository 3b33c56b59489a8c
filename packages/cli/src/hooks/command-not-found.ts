import type { Hook } from "@oclif/core/hooks";
import { unknownCommand } from "../failure/unknown-command.ts";

const hook: Hook.CommandNotFound = async ({ id, config }) => {
  throw unknownCommand(id, config, process.argv.slice(2));
};

export default hook;

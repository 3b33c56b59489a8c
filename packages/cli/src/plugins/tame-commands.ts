import { Config, Plugin } from "@oclif/core/config";
import { warn } from "../output/stderr.ts";
import { commandClashes } from "./command-clashes.ts";

/** The part of oclif's Plugin that loads it, and looks for commands in a plugin without a manifest of them. */
interface CommandSearch {
  readonly type: string;
  readonly name: string;
  readonly pjson: { readonly oclif: { readonly commands?: unknown } };
  readonly options: { readonly name?: string | undefined };
  getCommandIDs(this: CommandSearch): Promise<readonly string[]>;
  load(this: CommandSearch): Promise<void>;
}

/**
 * Keeps the commands of plugins from costing anything before they are run. Without a manifest oclif would load every command of a plugin at each
 * start, whatever that does or however long it takes: they are left out instead, and named. Those that are never run, since another command has
 * their name, are named, too.
 */
export function tameCommands(): void {
  const prototype = Plugin.prototype as unknown as CommandSearch;
  // oxlint-disable-next-line typescript/unbound-method -- called with its own object below
  const original = prototype.getCommandIDs;
  prototype.getCommandIDs = async function getCommandIDs() {
    if (this.type === "core") return await original.call(this);
    if (this.pjson.oclif.commands !== undefined)
      warn(
        `the commands of the plugin ${this.name} are left out: it has no oclif.manifest.json of its version`,
      );
    return [];
  };
  // oxlint-disable-next-line typescript/unbound-method -- called with its own object below
  const loadPlugin = prototype.load;
  prototype.load = async function loadNamed() {
    try {
      await loadPlugin.call(this);
    } catch (error) {
      // oclif's words have the file, and not whose it is.
      const { name } = this.options;
      if (name === undefined) throw error;
      const [line = ""] = (error as Error).message.split("\n", 1);
      throw new Error(`the plugin ${name} cannot be loaded: ${line}`, { cause: error });
    }
  };
  // oxlint-disable-next-line typescript/unbound-method -- called with its own object below
  const load = Config.prototype.load;
  Config.prototype.load = async function loadConfig() {
    await load.call(this);
    for (const { plugin, command, owner } of commandClashes(this))
      warn(
        `the command "silk ${command}" of the plugin ${plugin} is not run: ${owner} has one of that name`,
      );
  };
}

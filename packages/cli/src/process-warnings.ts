import { warn } from "./output/stderr.ts";

/** A warning as oclif raises it: the plugin that it is about is named in the detail, or silk itself where it does not know better. */
interface PluginWarning extends Error {
  readonly detail?: string;
}

const ownName = "@silkvm/cli";

/**
 * Tells of a plugin that cannot be loaded in one line, and of the runtime's own warnings (deprecations, experiments) only to people
 * who debug: they are for silk's authors.
 */
export function tellWarnings(debug: boolean): void {
  process.removeAllListeners("warning");
  process.on("warning", (warning: PluginWarning) => {
    const plugin = /^plugin: (.+)$/m.exec(warning.detail ?? "")?.[1];
    const [message = ""] = warning.message.split("\n", 1);
    if (plugin !== undefined) {
      warn(
        message.startsWith("the plugin ")
          ? message
          : `${plugin === ownName ? "a plugin" : `the plugin ${plugin}`} cannot be loaded: ${message}`,
      );
    } else if (debug) warn(message);
  });
}

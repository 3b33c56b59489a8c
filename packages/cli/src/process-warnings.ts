import { warn } from "./output/stderr.ts";

/** A warning as oclif raises it: the plugin that it is about is named in the detail. */
interface PluginWarning extends Error {
  readonly detail?: string;
}

/**
 * Tells of a plugin that cannot be loaded in one line, and of the runtime's own warnings (deprecations, experiments) only to people
 * who debug: they are for silk's authors.
 */
export function tellWarnings(): void {
  process.removeAllListeners("warning");
  process.on("warning", (warning: PluginWarning) => {
    const plugin = /^plugin: (.+)$/m.exec(warning.detail ?? "")?.[1];
    const [message = ""] = warning.message.split("\n", 1);
    if (plugin !== undefined) warn(`a plugin cannot be loaded: ${message} (${plugin})`);
    else if (process.env["NODE_DEBUG"] !== undefined) warn(message);
  });
}

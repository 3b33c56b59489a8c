import type { EngineConfig } from "../config/schema.ts";
import { SilkError } from "../errors.ts";
import type { PluginDefinition } from "../plugin/plugin.ts";

/** Refuses to go on where a plugin is missing that the configuration requires. @throws SilkError `PLUGIN_REQUIRED` */
export function refuseWithoutRequired(
  { requiredPlugins }: Pick<EngineConfig, "requiredPlugins">,
  plugins: readonly PluginDefinition[],
): void {
  for (const name of requiredPlugins) {
    const plugin = plugins.find((one) => one.name === name);
    if (plugin !== undefined && plugin.broken === undefined) continue;
    const why = plugin?.broken?.message.split("\n", 1)[0];
    throw new SilkError(
      `nothing is changed without the plugin ${name}: ${why ?? "it is not there"}`,
      {
        code: "PLUGIN_REQUIRED",
        kind: "unavailable",
        hint: `Install it (silk plugins install ${name}) or mend it (silk plugins inspect ${name}); the setting requiredPlugins asks for it.`,
        details: { plugin: name },
        cause: plugin?.broken,
      },
    );
  }
}

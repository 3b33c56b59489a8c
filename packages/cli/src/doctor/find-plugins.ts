import type { Config } from "@oclif/core/config";
import {
  type EngineConfig,
  type HostFiles,
  type PluginDefinition,
  toSilkError,
} from "@silkvm/core";
import { bundledPlugins } from "../plugins/bundled.ts";
import { surveyPlugins } from "../plugins/survey.ts";
import type { Patient } from "./context.ts";

/** The plugins of this run, and what is wrong with plugins, each with the reason. */
export async function findPlugins(
  oclif: Config,
  config: Pick<EngineConfig, "plugins" | "hookTimeoutMs">,
  files: HostFiles,
): Promise<{
  readonly plugins: readonly PluginDefinition[];
  readonly failed: Patient["plugins"]["failed"];
}> {
  try {
    const found = await surveyPlugins(oclif, config, files);
    return {
      plugins: found.flatMap(({ definition }) => definition ?? []),
      failed: found.flatMap(({ name, problems }) => problems.map((error) => ({ name, error }))),
    };
  } catch (error) {
    return { plugins: bundledPlugins, failed: [{ name: "NAME", error: toSilkError(error) }] };
  }
}

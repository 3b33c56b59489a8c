import type { Config } from "@oclif/core/config";
import type { GlobalFlags } from "../flags/global.ts";
import { loadSettings } from "../settings.ts";
import type { SurveyedPlugin } from "./survey.ts";

/** Looks at the plugins as the flags, the environment and the configuration have them. */
export async function surveyHere(
  flags: GlobalFlags,
  oclif: Config,
): Promise<readonly SurveyedPlugin[]> {
  const [{ linuxHost }, { surveyPlugins }] = await Promise.all([
    import("@silkvm/sys"),
    import("./survey.ts"),
  ]);
  const host = linuxHost();
  const { config } = await loadSettings(flags, host);
  return await surveyPlugins(oclif, config, host.files);
}

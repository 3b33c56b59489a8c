import { configKeys, environmentName } from "@silkvm/core";
import type { Check } from "../finding.ts";

/** Whether the settings can be read, and say what they were meant to say. */
export const configuration: Check = {
  id: "config",
  title: "configuration",
  group: "silk",
  async run({ host, env, configPath, configProblem }) {
    if (configProblem !== undefined)
      return {
        status: "failed",
        evidence: configProblem.message,
        why: "Every command but this one refuses to run with it.",
        fix: {
          description: configProblem.hint ?? "Mend what the message names.",
          automatic: false,
        },
      };
    const source =
      (await host.files.stat(configPath)) === undefined
        ? `no file at ${configPath}: defaults`
        : configPath;
    const known = new Map(
      ["SILK_CONFIG", ...configKeys.map(environmentName)].map((name) => [squeezed(name), name]),
    );
    const set = Object.keys(env).filter(
      (name) => name.startsWith("SILK_") && env[name] !== undefined,
    );
    // Only what is nearly a setting's name: plugins and tests have variables of their own.
    const misspelt = set.flatMap((name) => {
      const meant = known.get(squeezed(name));
      return meant === undefined || meant === name ? [] : [{ name, meant }];
    });
    const [first] = misspelt;
    if (first !== undefined)
      return {
        status: "warning",
        evidence: `${misspelt.map(({ name }) => name).join(", ")} in the environment is not read`,
        why: "No setting has that name.",
        fix: {
          command: `export ${first.meant}="$${first.name}"`,
          description: `The name is ${first.meant}.`,
          automatic: false,
        },
      };
    const read = set.filter((name) => known.has(squeezed(name)));
    return {
      status: "ok",
      evidence: read.length === 0 ? source : `${source}, and ${read.join(", ")}`,
    };
  },
};

function squeezed(name: string): string {
  return name.replaceAll("_", "").toUpperCase();
}

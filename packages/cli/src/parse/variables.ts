import { usageError } from "../cli-error.ts";

/**
 * Variables for a program: of files first, then those that are given one by one, the last one of a name counts. One without a value has that of `environment`, and is left
 * out where there is none there.
 * @param files their names and texts
 * @throws CliError of kind `invalid`
 */
export function parseVariables(
  given: readonly string[],
  files: readonly { readonly path: string; readonly text: string }[],
  environment: NodeJS.ProcessEnv,
): readonly string[] {
  const lines = files.flatMap(({ path, text }) =>
    text
      .split(/\r?\n/)
      .map((line, index) => ({ line, what: `--env-from ${path}: line ${index + 1}` }))
      .filter(({ line }) => !/^\s*(?:#|$)/.test(line)),
  );
  const all = [...lines, ...given.map((line) => ({ line, what: "--env" }))];
  return all.flatMap(({ line, what }) => {
    const [name = ""] = line.split("=", 1);
    if (name === "" || /\s|\0/.test(name))
      throw usageError(`${what}: ${JSON.stringify(line)} is not NAME=VALUE`);
    if (line.includes("=")) return [line];
    const value = environment[name];
    return value === undefined ? [] : [`${name}=${value}`];
  });
}

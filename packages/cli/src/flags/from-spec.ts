import { boolean, option, string } from "@oclif/core/flags";
import type * as Interfaces from "@oclif/core/interfaces";
import type { CommandSpec, FlagSpec } from "../command-spec.ts";

type OclifFlag<S extends FlagSpec> = S extends { readonly type: "boolean" }
  ? Interfaces.BooleanFlag<boolean>
  : S extends { readonly type: "enum"; readonly options: infer O extends readonly string[] }
    ? Interfaces.OptionFlag<O[number] | undefined>
    : S extends { readonly multiple: true }
      ? Interfaces.OptionFlag<string[] | undefined>
      : Interfaces.OptionFlag<string | undefined>;

type OclifFlags<S extends CommandSpec> = { [K in keyof S["flags"]]: OclifFlag<S["flags"][K]> };

/** What oclif wants to know of a command, from its spec. */
export function specStatics<const S extends CommandSpec>(spec: S) {
  const flags = Object.entries(spec.flags).map(([name, flag]) => [name, toOclifFlag(flag)]);
  return {
    aliases: spec.aliases.map((words) => words.join(" ")),
    summary: spec.summary,
    description: spec.description ?? "",
    examples: spec.examples.map((example) => ({ ...example })),
    flags: Object.fromEntries(flags) as OclifFlags<S>,
  };
}

function toOclifFlag(spec: FlagSpec) {
  const { description, char } = spec;
  const common = char === undefined ? { description } : { description, char };
  if (spec.type === "boolean") return boolean(common);
  if (spec.type === "enum") return option({ ...common, options: spec.options })();
  const { helpValue, multiple } = spec;
  return multiple
    ? string({ ...common, helpValue, multiple: true, multipleNonGreedy: true })
    : string({ ...common, helpValue });
}

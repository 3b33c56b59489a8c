import type { SilkErrorJson } from "@silkvm/core/errors";
import { type Field, renderFields } from "../output/fields.ts";
import { printableLine } from "../output/printable.ts";
import { type Column, renderTable } from "../output/table.ts";
import type { SurveyedPlugin } from "./survey.ts";

/** What `--json` prints of a plugin. */
export interface PluginView extends Omit<SurveyedPlugin, "definition" | "problems"> {
  /** Whether what it brings can be used. */
  readonly usable: boolean;
  /** The gravest problem first; empty where nothing is wrong. */
  readonly problems: readonly SilkErrorJson[];
}

export function toPluginView({ definition, problems, ...plugin }: SurveyedPlugin): PluginView {
  // A plugin of oclif alone has no definition, and nothing is wrong with that.
  const isLoaded = problems.every(({ code }) => code === "COMMAND_DUPLICATE");
  return {
    ...plugin,
    usable: definition !== undefined || isLoaded,
    problems: problems.map((problem) => problem.toJSON()),
  };
}

const columns: readonly Column<PluginView>[] = [
  { header: "NAME", cell: ({ name }) => printableLine(name) },
  { header: "VERSION", cell: ({ version }) => version ?? "-" },
  { header: "FROM", cell: ({ origin }) => origin },
  {
    header: "STATUS",
    cell: ({ usable, problems }) => (problems.length === 0 ? "ok" : usable ? "in part" : "broken"),
    style: ({ usable, problems }) => (problems.length === 0 ? "green" : usable ? "yellow" : "red"),
  },
  { header: "BRINGS", cell: bringsWords, shrinkTo: 12 },
];

/** What `silk plugins list` prints for a person: the plugins, then what is wrong with each in a line of its own. */
export function renderPluginList(
  plugins: readonly PluginView[],
  options: { readonly width: number | undefined; readonly color: boolean },
): string {
  const troubles = plugins.flatMap(({ name, problems }) =>
    problems.map((problem) => `${name}: ${problemLine(problem)}\n`),
  );
  const table = renderTable(columns, plugins, options);
  return troubles.length === 0 ? table : `${table}\n${troubles.join("")}`;
}

/** What `silk plugins inspect` prints for a person. */
export function renderPlugin(plugin: PluginView): string {
  const { brings } = plugin;
  const listed = (names: readonly string[]): string | undefined =>
    names.length === 0 ? undefined : names.join(", ");
  return renderFields([
    ["Name", plugin.name],
    ["Version", plugin.version],
    ["From", plugin.spec === undefined ? plugin.origin : `${plugin.origin} (${plugin.spec})`],
    ["Directory", plugin.root],
    ["API version", plugin.apiVersion],
    ["Backends", listed(brings.backends)],
    ["Networks", listed(brings.networks)],
    ["Devices", listed(brings.devices)],
    ["Image sources", listed(brings.images)],
    ["Hooks", listed(brings.hooks)],
    ["Commands", listed(brings.commands)],
    ...plugin.problems.map((problem): Field => ["Problem", problemLine(problem)]),
  ]);
}

/** `backend fast, 2 hooks, 1 command`. */
function bringsWords({ brings }: PluginView): string {
  const named = (noun: string, names: readonly string[]): readonly string[] =>
    names.length === 0 ? [] : [`${noun}${names.length === 1 ? "" : "s"} ${names.join(", ")}`];
  const counted = (noun: string, { length }: readonly string[]): readonly string[] =>
    length === 0 ? [] : [`${length} ${noun}${length === 1 ? "" : "s"}`];
  const words = [
    ...named("backend", brings.backends),
    ...named("network", brings.networks),
    ...named("device", brings.devices),
    ...named("image source", brings.images),
    ...counted("hook", brings.hooks),
    ...counted("command", brings.commands),
  ];
  return words.length === 0 ? "-" : words.join("; ");
}

function problemLine({ message, hint }: SilkErrorJson): string {
  const line = printableLine(message.split("\n", 1)[0] as string);
  return hint === undefined ? line : `${line}. ${printableLine(hint)}`;
}

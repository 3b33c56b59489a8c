import type { Config } from "@oclif/core/config";
import {
  discoverPlugins,
  type EngineConfig,
  type HostFiles,
  type PluginDefinition,
  type PluginNames,
  pluginNames,
  SilkError,
  withoutClashes,
} from "@silkvm/core";
import { pluginInvalid } from "./plugin-invalid.ts";
import { bundledPlugins } from "./bundled.ts";
import { commandClashes } from "./command-clashes.ts";
import { configuredPlugins, type PluginOrigin } from "./locations.ts";
import { readPluginList } from "./plugin-list.ts";

/** A plugin as it was found, and what is wrong with it. */
export interface SurveyedPlugin {
  readonly name: string;
  readonly version?: string | undefined;
  readonly origin: PluginOrigin | "silk";
  /** Its directory; left out for one that is a part of silk. */
  readonly root?: string | undefined;
  /** What it was installed from. */
  readonly spec?: string | undefined;
  readonly apiVersion?: number | undefined;
  readonly brings: PluginNames & { readonly commands: readonly string[] };
  /** What is wrong, the gravest first. */
  readonly problems: readonly SilkError[];
  /** What takes part in the engine. */
  readonly definition?: PluginDefinition | undefined;
}

interface Found {
  readonly name: string;
  readonly root: string;
  readonly origin: PluginOrigin;
  readonly spec?: string | undefined;
}

const nothing: PluginNames = { backends: [], networks: [], devices: [], images: [], hooks: [] };

/** Looks at every plugin, loading each: what is wrong with one is found out before something of it is needed. */
export async function surveyPlugins(
  oclif: Config,
  config: Pick<EngineConfig, "plugins" | "hookTimeoutMs">,
  files: HostFiles,
): Promise<readonly SurveyedPlugin[]> {
  const found = await findAll(oclif, config.plugins, files);
  const looked = await Promise.all(
    found.map((plugin) => lookAt(plugin, oclif, config.hookTimeoutMs)),
  );
  const definitions = looked.flatMap(({ definition }) => definition ?? []);
  const { clashes } = withoutClashes([...bundledPlugins, ...definitions]);
  const clashing = new Map(clashes.map(({ plugin, error }) => [plugin, error]));
  const commands = Map.groupBy(commandClashes(oclif), ({ plugin }) => plugin);
  const others = looked.map((plugin): SurveyedPlugin => {
    const clash = plugin.definition === undefined ? undefined : clashing.get(plugin.definition);
    const shadowed = commands.get(plugin.name) ?? [];
    return {
      ...plugin,
      definition: clash === undefined ? plugin.definition : undefined,
      problems: [
        ...(clash === undefined ? [] : [clash]),
        ...plugin.problems,
        ...shadowed.map(({ command, owner }) => shadowedCommand(plugin.name, command, owner)),
      ],
    };
  });
  return [...bundledPlugins.map((plugin) => bundled(plugin, oclif)), ...others];
}

async function findAll(
  oclif: Config,
  configured: readonly string[],
  files: HostFiles,
): Promise<readonly Found[]> {
  const listed = await readPluginList(files, oclif.dataDir);
  const named = await configuredPlugins(oclif, configured);
  return [
    ...listed.map(({ name, root, spec }): Found => {
      return { name, root, spec, origin: spec === undefined ? "linked" : "installed" };
    }),
    ...named
      .filter(({ name }) => !listed.some((entry) => entry.name === name))
      .map(({ name, from }): Found => ({ name, root: from, origin: "configured" })),
  ];
}

async function lookAt(
  { name, root, origin, spec }: Found,
  oclif: Config,
  timeoutMs: number,
): Promise<SurveyedPlugin> {
  const loaded = oclif.getPluginsList().find((plugin) => plugin.name === name);
  const location = { name, from: root };
  const [lazy, eager] = await Promise.all([
    discoverPlugins([location], { timeoutMs }),
    discoverPlugins([location], { timeoutMs, eager: true }),
  ]);
  const [definition] = eager.plugins.filter(({ broken }) => broken === undefined);
  const stated = lazy.plugins[0];
  const commands = (loaded?.commands ?? []).map(({ id }) => id.replaceAll(":", " "));
  const problems = eager.failed.map(({ error }) => error);
  if (
    problems.length === 0 &&
    loaded !== undefined &&
    commands.length === 0 &&
    loaded.pjson.oclif["commands"] !== undefined &&
    !loaded.hasManifest
  )
    problems.push(withoutManifest(name));
  if (definition !== undefined && stated !== undefined && stated !== definition)
    problems.push(...unstated(name, pluginNames(stated), pluginNames(definition)));
  return {
    name,
    version: loaded?.version,
    origin,
    root,
    spec,
    apiVersion: definition?.apiVersion,
    brings: { ...(definition === undefined ? nothing : pluginNames(definition)), commands },
    problems,
    // Who states less than it brings takes part with what it states.
    definition: stated === undefined || definition === undefined ? undefined : stated,
  };
}

function bundled(definition: PluginDefinition, oclif: Config): SurveyedPlugin {
  return {
    name: definition.name,
    version: oclif.version,
    origin: "silk",
    apiVersion: definition.apiVersion,
    brings: { ...pluginNames(definition), commands: [] },
    problems: [],
    definition,
  };
}

function shadowedCommand(plugin: string, command: string, owner: string): SilkError {
  return new SilkError(
    `the command "silk ${command}" of the plugin ${plugin} is not run: ${owner} has one of that name`,
    {
      code: "COMMAND_DUPLICATE",
      kind: "conflict",
      hint: `Rename the command, or take the plugin away: silk plugins uninstall ${plugin}`,
      details: { plugin, command, owner },
    },
  );
}

function withoutManifest(plugin: string): SilkError {
  return pluginInvalid(
    `the commands of the plugin ${plugin} are left out: it has no oclif.manifest.json of its version`,
    {
      hint: "Its build writes one, so that silk need not load every command at each start.",
      details: { plugin },
    },
  );
}

/** What an entry brings and its package.json does not state is never met. */
function unstated(plugin: string, stated: PluginNames, brought: PluginNames): readonly SilkError[] {
  const left = (Object.keys(brought) as (keyof PluginNames)[]).flatMap((kind) =>
    brought[kind].filter((name) => !stated[kind].includes(name)).map((name) => `${kind}: ${name}`),
  );
  if (left.length === 0) return [];
  return [
    pluginInvalid(
      `the plugin ${plugin} brings what its package.json does not state (${left.join(", ")})`,
      {
        hint: 'What "silk" in its package.json does not state is left out.',
        details: { plugin, unstated: left },
      },
    ),
  ];
}

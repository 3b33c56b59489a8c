import type { Config } from "@oclif/core/config";

/** A command that a plugin brings and that is somebody else's. */
export interface CommandClash {
  readonly plugin: string;
  /** The command as it is typed, without `silk`. */
  readonly command: string;
  /** Whose command is run. */
  readonly owner: string;
}

/** Commands of plugins that are not run, as silk's own, or those of a plugin before them, have the same name. */
export function commandClashes(oclif: Config): readonly CommandClash[] {
  const others = oclif.getPluginsList().filter(({ type }) => type !== "core");
  if (others.length === 0) return [];
  const owners = new Map(oclif.commands.map(({ id, pluginAlias }) => [id, pluginAlias]));
  return others.flatMap((plugin) =>
    plugin.commands.flatMap(({ id }) => {
      const owner = owners.get(id);
      return owner === undefined || owner === plugin.name
        ? []
        : [{ plugin: plugin.name, command: id.replaceAll(":", " "), owner }];
    }),
  );
}

import type { Command } from "@oclif/core/command";
import type { Interfaces } from "@oclif/core";
import { Plugin as OclifPlugin } from "oclif:config/plugin";
import { type BundledPackage, bundledPlugin, installedRoot, ownPackage } from "./packages.ts";
import { packageRoot } from "./root.ts";

/** oclif's Plugin; one that is in the bundle takes its package.json, its manifest and its commands from there. */
export class Plugin extends OclifPlugin {
  /** What is in the bundle of it. */
  readonly bundled: BundledPackage | undefined;

  constructor(options: Interfaces.PluginOptions) {
    super(options);
    const { isRoot, type, name, root } = options;
    if (isRoot === true) this.bundled = ownPackage;
    else if (type === "core" && name !== undefined) this.bundled = bundledPlugin(name, root);
  }

  override async load(): Promise<void> {
    const bundled = this.bundled;
    if (bundled === undefined) return await super.load();
    const { options } = this;
    // The root is taken as it is where the package.json is at hand: then nothing is looked up in the file system.
    this.options = { ...options, isRoot: true, root: packageRoot, pjson: bundled.pjson };
    await super.load();
    this.options = options;
    for (const command of this.commands) {
      let flags: Command.Cached["flags"] | undefined;
      Object.defineProperty(command, "flags", {
        configurable: true,
        enumerable: true,
        get: () => (flags ??= bundled.flags[command.id]?.()),
      });
    }
    if (options.isRoot === true) return;
    this.isRoot = false;
    let root: string | undefined;
    Object.defineProperty(this, "root", {
      configurable: true,
      enumerable: true,
      get: () => (root ??= installedRoot(bundled.name)),
    });
  }

  override async findCommand(id: string, options?: { must: boolean }): Promise<never> {
    const path = this.bundled?.manifest.commands[id]?.relativePath;
    const load = path === undefined ? undefined : this.bundled?.modules[path.join("/")];
    if (load === undefined)
      return (await super.findCommand(id, options as { must: true })) as never;
    const { default: command } = (await load()) as { default: Command.Class };
    return Object.assign(command, { id, plugin: this, isESM: true, relativePath: path }) as never;
  }
}

/** oclif's own way to the manifest. It is private there, so that a plain override would be refused. */
const manifest = "_manifest";
const readManifest = Reflect.get(
  OclifPlugin.prototype,
  manifest,
) as () => Promise<Interfaces.Manifest>;

Object.defineProperty(Plugin.prototype, manifest, {
  async value(this: Plugin): Promise<Interfaces.Manifest> {
    const { bundled } = this;
    if (bundled === undefined) return await readManifest.call(this);
    this.commandIDs = Object.keys(bundled.manifest.commands);
    this.hasManifest = true;
    return bundled.manifest;
  },
});

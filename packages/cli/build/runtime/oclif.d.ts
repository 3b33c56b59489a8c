/** Modules of @oclif/core that it does not export, by their path in its `lib`: the bundler resolves them. */
declare module "oclif:config/plugin" {
  export { Plugin } from "@oclif/core/config";
}
declare module "oclif:module-loader" {
  export { ModuleLoader } from "@oclif/core";
  import type { ModuleLoader } from "@oclif/core";
  export const load: typeof ModuleLoader.load;
  export const loadWithData: typeof ModuleLoader.loadWithData;
}

/** Modules of silk itself, as they were built. */
declare module "silk:dist/main" {
  export { main } from "../../src/main.ts";
}
declare module "silk:dist/hot/answer" {
  export { answer } from "../../src/hot/answer.ts";
}

declare module "silk:facts" {
  export const silkVersion: string;
  /** First words of the commands that are not in the bundle. */
  export const plainCommands: readonly (string | undefined)[];
}

/** What the bundler found out about the packages that it bundles. */
declare module "silk:packages" {
  import type { BundledPackage } from "./packages.ts";
  export const packages: readonly BundledPackage[];
}

declare module "silk:place" {
  export { silkPlace } from "./place.ts";
}

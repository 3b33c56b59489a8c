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

declare module "silk:dist/hot/terminal" {
  export { isMemoryDevice, isTerminal } from "../../src/hot/terminal.ts";
}

declare module "silk:facts" {
  export const silkVersion: string;
}

/** Dependencies of @oclif/core, as it finds them. */
declare module "oclif:node_modules/string-width" {
  export default function stringWidth(text: string): number;
}
declare module "oclif:node_modules/wrap-ansi" {
  export default function wrapAnsi(
    text: string,
    columns: number,
    options?: { readonly hard?: boolean; readonly trim?: boolean; readonly wordWrap?: boolean },
  ): string;
}

/** What the bundler found out about the packages that it bundles. */
declare module "silk:packages" {
  import type { BundledPackage } from "./packages.ts";
  export const packages: readonly BundledPackage[];
}

declare module "silk:place" {
  export { silkPlace } from "./place.ts";
}

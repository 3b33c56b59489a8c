import type { BackendContext, VmmFinder, VmPaths } from "@silkvm/core";
import type { Settings } from "./settings.ts";

/** What every verb of the backend works with. */
export interface Machine extends Pick<BackendContext, "host" | "logger">, VmmFinder {
  readonly settings: Settings;
  readonly paths: (vm: { readonly id: string }) => VmPaths;
}

import type { NetworkContext } from "@silkvm/core";
import type { CniDirectories } from "./directories.ts";

/** What the verbs of a CNI network share. */
export interface CniContext extends CniDirectories {
  readonly network: NetworkContext;
}

import { toJson } from "./output/to-json.ts";

export interface VersionFacts {
  readonly silk: string;
  /** Without the leading `v`. */
  readonly node: string;
  readonly platform: string;
  readonly arch: string;
}

/** What `silk version` prints. */
export function renderVersion(
  facts: VersionFacts,
  view: { readonly json: boolean; readonly pretty: boolean },
): string {
  if (view.json) return toJson(facts, view.pretty);
  return `silk ${facts.silk} (node ${facts.node}, ${facts.platform}-${facts.arch})\n`;
}

import type { PlacedPlugin } from "./install.ts";

/** `@acme/fast 1.2.0`, and what it has taken the place of. */
export function placedLine({ name, version, replaced }: PlacedPlugin): string {
  const before = replaced === undefined || replaced === version ? "" : ` (was ${replaced})`;
  return `${name} ${version}${before}`;
}

import { cpSync, existsSync, linkSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import { toRecorded } from "./paths.ts";
import type { KnownConfig } from "./recording.ts";
import { asJson } from "./rows.ts";

const FILES = ["config.json", "state.json", "memory-ranges"];

/** Keeps each snapshot as it was made, so that what a recording did to its copies can be done again. */
export class SnapshotStore {
  readonly #keep: string;
  readonly #kept = new Map<string, string>();

  constructor(keep: string) {
    this.#keep = keep;
  }

  /** Keeps the snapshot in a directory. */
  keep(directory: string): void {
    const copy = join(this.#keep, String(this.#kept.size));
    mkdirSync(copy, { recursive: true });
    take(directory, copy);
    const before = this.#kept.get(directory);
    if (before !== undefined) rmSync(before, { recursive: true });
    this.#kept.set(directory, copy);
  }

  /**
   * Puts a snapshot as it was made into a directory: its own, or the one whose name starts most alike. Says the config that it
   * holds; undefined where there is no snapshot to take.
   */
  refresh(directory: string): string | undefined {
    const [source] = [...this.#kept]
      .filter(([kept]) => dirname(kept) === dirname(directory))
      .map(([kept, copy]) => ({ copy, alike: alike(basename(kept), basename(directory)) }))
      .filter(({ alike: letters }) => letters > 0)
      .sort((a, b) => b.alike - a.alike);
    if (source === undefined) return undefined;
    mkdirSync(directory, { recursive: true });
    take(source.copy, directory);
    return readFileSync(join(directory, "config.json"), "utf8");
  }

  /** The config that a directory's snapshot holds; undefined where it holds none that can be read. */
  configIn(directory: string): KnownConfig | undefined {
    const path = join(directory, "config.json");
    if (!existsSync(path)) return undefined;
    return asJson(toRecorded(readFileSync(path, "utf8"))) as KnownConfig | undefined;
  }

  /** The memory file of a directory's snapshot as it was made. */
  memoryOf(directory: string): string | undefined {
    const copy = this.#kept.get(directory);
    return copy === undefined ? undefined : join(copy, "memory-ranges");
  }
}

/** Memory is linked: nobody writes to it. */
function take(from: string, to: string): void {
  for (const name of FILES) {
    const target = join(to, name);
    rmSync(target, { force: true });
    const source = join(from, name);
    if (!existsSync(source)) continue;
    if (name === "memory-ranges") linkSync(source, target);
    else cpSync(source, target);
  }
}

function alike(a: string, b: string): number {
  if (a === b) return Number.MAX_SAFE_INTEGER;
  let letters = 0;
  while (letters < a.length && a[letters] === b[letters]) letters++;
  return letters;
}

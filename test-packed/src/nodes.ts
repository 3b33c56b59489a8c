import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheDirectory, npm } from "./npm.ts";

/** The next long-term Node: what runs on the oldest that silk supports is to run on it, too. */
const next = "26.10.0";

export interface NodeProgram {
  readonly name: string;
  /** Gets it where it is not there. @returns its path */
  readonly path: () => Promise<string>;
}

export const nodes: readonly NodeProgram[] = [
  { name: `Node ${process.versions.node}`, path: async () => process.execPath },
  { name: `Node ${next}`, path: fetchNext },
];

async function fetchNext(): Promise<string> {
  const directory = join(cacheDirectory, `node-${next}`);
  const program = `node-linux-${process.arch}`;
  const path = join(directory, "node_modules", program, "bin/node");
  if (existsSync(path)) return path;
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "package.json"), "{}");
  await npm(["install", `${program}@${next}`], directory);
  return path;
}

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { EngineConfig, SilkErrorJson } from "@silkvm/core";

/** A process that does one thing again and again. */
export interface Racer {
  readonly config: Partial<EngineConfig> & Pick<EngineConfig, "rootDir">;
  readonly verb: "save" | "clone" | "restore" | "remove";
  readonly rounds: number;
  readonly vm: string;
  readonly snapshot: string;
}

/** What came of each round. */
export type RaceReport = readonly { readonly ok: boolean; readonly error?: SilkErrorJson }[];

const child = fileURLToPath(new URL("snapshot-race-child.ts", import.meta.url));
const cache = fileURLToPath(new URL("../node_modules/.cache/compiled", import.meta.url));

/** Runs processes side by side, each to its end. */
export async function race(racers: readonly Racer[]): Promise<readonly RaceReport[]> {
  return await Promise.all(
    racers.map(async (racer) => {
      const args = ["--conditions=@silkvm/source", child, JSON.stringify(racer)];
      const env = { ...process.env, NODE_COMPILE_CACHE: cache };
      const { stdout } = await promisify(execFile)(process.execPath, args, {
        env,
        timeout: 100_000,
      });
      return JSON.parse(stdout) as RaceReport;
    }),
  );
}

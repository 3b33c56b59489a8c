import type { EngineConfig, Logger } from "@silkvm/core";
import { say, warn } from "./stderr.ts";

const levels = ["debug", "info", "warn", "error", "silent"] as const;

/** Says on stderr what the engine does, from a level up. */
export function stderrLogger(level: EngineConfig["logLevel"]): Logger {
  const from = levels.indexOf(level);
  const at =
    (own: (typeof levels)[number], tell: (message: string) => void) =>
    (message: string): void => {
      if (levels.indexOf(own) >= from) tell(message);
    };
  return {
    debug: at("debug", (message) => say(`debug: ${message}`)),
    info: at("info", (message) => say(`info: ${message}`)),
    warn: at("warn", warn),
    error: at("error", (message) => say(`error: ${message}`)),
  };
}

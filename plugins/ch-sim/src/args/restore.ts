import type { RestoreConfig } from "../config/types.ts";
import { missing, wrap } from "./devices.ts";
import { asIntegers, asPairs, asString, asWord, Options } from "./option-parser.ts";

/** The text of `--restore`. */
export function parseRestore(text: string): RestoreConfig {
  const keys = ["source_url", "prefault", "memory_restore_mode", "net_fds", "resume"];
  const options = new Options(text, keys, wrap("ParseRestore", "restore"));
  const source = options.get("source_url");
  if (source === undefined)
    throw missing("ParseRestoreSourceUrlMissing", "Error parsing --restore: source_url missing");
  const modes = asWord({ copy: "Copy", ondemand: "OnDemand" } as const);
  const fds = options
    .convert("net_fds", asPairs(asString, asIntegers))
    ?.map(([id, list]) => ({ id, num_fds: list.length, fds: list.map(Number) }));
  return {
    source_url: source,
    prefault: options.toggle("prefault"),
    memory_restore_mode: options.convert("memory_restore_mode", modes) ?? "Copy",
    ...(fds === undefined ? {} : { net_fds: fds }),
    resume: options.toggle("resume"),
  };
}

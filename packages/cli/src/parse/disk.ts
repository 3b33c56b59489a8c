import type { DiskSpec } from "@silkvm/core";
import { usageError } from "../cli-error.ts";
import { parseKeyValues, splitCommas } from "./key-values.ts";
import { parseOnOff } from "./on-off.ts";

const flag = "--disk";

/**
 * Reads `path[,readonly][,serial=S][,direct=on|off]`.
 * @throws CliError of kind `invalid`
 */
export function parseDisk(text: string): DiskSpec {
  const [first = "", ...rest] = splitCommas(text);
  const path = first.startsWith("path=") ? first.slice("path=".length) : first;
  if (path === "")
    throw usageError(`${flag}: the path is missing`, "Write --disk /images/data.raw,readonly");
  const keys = parseKeyValues(flag, rest, ["readonly", "serial", "direct"]);
  const serial = keys.get("serial");
  if (keys.has("serial") && !serial) throw usageError(`${flag}: "serial" needs a value: serial=S`);
  return {
    path,
    ...(keys.has("readonly")
      ? { readonly: parseOnOff(flag, "readonly", keys.get("readonly") ?? "on") }
      : {}),
    ...(serial === undefined ? {} : { serial }),
    ...(keys.has("direct") ? { directIo: parseOnOff(flag, "direct", keys.get("direct")) } : {}),
  };
}

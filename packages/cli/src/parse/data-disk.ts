import type { DataDiskSpec } from "@silkvm/core";
import { usageError } from "../cli-error.ts";
import { parseKeyValues, splitCommas } from "./key-values.ts";
import { parseSize } from "./size.ts";

const flag = "--data-disk";

/**
 * Reads `size=…[,name=][,fstype=ext4|none][,mount=][,directio=on|off|auto]`.
 * @throws CliError of kind `invalid`
 */
export function parseDataDisk(text: string): DataDiskSpec {
  const keys = parseKeyValues(flag, splitCommas(text), [
    "size",
    "name",
    "fstype",
    "mount",
    "directio",
  ]);
  for (const [key, value] of keys)
    // An empty mount point is nowhere.
    if (value === undefined || (value === "" && key !== "mount"))
      throw usageError(`${flag}: "${key}" needs a value: ${key}=…`);
  const size = keys.get("size");
  if (size === undefined)
    throw usageError(
      `${flag}: the size is missing`,
      "Write --data-disk size=10G,name=db,mount=/srv",
    );
  const name = keys.get("name");
  const mountPoint = keys.get("mount");
  const directIo = keys.get("directio");
  return {
    sizeBytes: parseSize(size),
    ...(name === undefined ? {} : { name }),
    ...parseFstype(keys.get("fstype")),
    ...(mountPoint === undefined ? {} : { mountPoint }),
    ...parseDirectIo(directIo),
  };
}

function parseDirectIo(value: string | undefined): Pick<DataDiskSpec, "directIo"> {
  if (value === undefined || value === "auto") return {};
  if (value === "on" || value === "off") return { directIo: value === "on" };
  throw usageError(`${flag}: "directio" must be on, off or auto`);
}

function parseFstype(value: string | undefined): Pick<DataDiskSpec, "fstype"> {
  if (value === undefined) return {};
  if (value === "ext4" || value === "none") return { fstype: value };
  throw usageError(`${flag}: "fstype" must be ext4 or none`);
}

import type { DataDiskSpec } from "@silkvm/core";
import { usageError } from "../cli-error.ts";
import { parseKeyValues, splitCommas } from "./key-values.ts";
import { parseOnOff } from "./on-off.ts";
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
    if (value === undefined || value === "")
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
    ...(directIo === undefined || directIo === "auto"
      ? {}
      : { directIo: parseOnOff(flag, "directio", directIo) }),
  };
}

function parseFstype(value: string | undefined): Pick<DataDiskSpec, "fstype"> {
  if (value === undefined) return {};
  if (value === "ext4" || value === "none") return { fstype: value };
  throw usageError(`${flag}: "fstype" must be ext4 or none`);
}

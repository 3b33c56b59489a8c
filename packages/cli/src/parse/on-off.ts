import { usageError } from "../cli-error.ts";

/** @throws CliError of kind `invalid` */
export function parseOnOff(flag: string, key: string, value: string | undefined): boolean {
  if (value === "on") return true;
  if (value === "off") return false;
  throw usageError(`${flag}: "${key}" must be on or off`, `Write ${key}=on or ${key}=off.`);
}

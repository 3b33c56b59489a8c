import { usageError } from "../cli-error.ts";

const units = ["", "K", "M", "G", "T", "P"] as const;
const pattern = /^(\d+)(?:\.(\d+))?(?:([KMGTP])(?:iB)?|B)?$/i;
const decimalPattern = /^[\d.]+[KMGTP]B$/i;

/**
 * Reads a size as a person types it: plain bytes, or with a binary unit: `512M`, `2G`, `1.5GiB`.
 * @returns bytes
 * @throws CliError of kind `invalid`
 */
export function parseSize(text: string): number {
  const refuse = (why: string): never => {
    throw usageError(
      `${JSON.stringify(text)} is no size: ${why}`,
      "Sizes are plain bytes, or carry a binary unit: 512M, 2G, 1.5GiB.",
    );
  };
  if (decimalPattern.test(text))
    refuse(`write ${text.slice(0, -1)} or ${text.slice(0, -1)}iB for the binary unit`);
  const match = pattern.exec(text);
  if (match === null) return refuse("it is no number with an optional unit (K, M, G, T, P)");
  const [, whole = "0", fraction = "", unit = ""] = match;
  const power = BigInt(units.indexOf(unit.toUpperCase() as (typeof units)[number]));
  const scale = 10n ** BigInt(fraction.length);
  const scaled = BigInt(whole + fraction) * 1024n ** power;
  if (scaled % scale !== 0n) refuse("it is no whole number of bytes");
  const bytes = scaled / scale;
  if (bytes > BigInt(Number.MAX_SAFE_INTEGER)) refuse("it is too large");
  return Number(bytes);
}

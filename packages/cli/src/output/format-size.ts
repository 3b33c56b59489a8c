const units = ["B", "K", "M", "G", "T", "P"] as const;

/** Bytes for a person, in the binary units that the flags take: `512M`, `1.5G`, `0B`. At most one decimal. */
export function formatSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (unit < units.length - 1 && (value >= 1024 || (unit > 0 && value >= 1023.95))) {
    value /= 1024;
    unit += 1;
  }
  const text = Number.isInteger(value) ? String(value) : value.toFixed(1).replace(/\.0$/, "");
  return `${text}${units[unit]}`;
}

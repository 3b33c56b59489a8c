/** A setting as `silk config set` takes it. */
export function settingText(value: unknown): string {
  return Array.isArray(value) ? value.join(",") : String(value);
}

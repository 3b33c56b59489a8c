/** One JSON document and a newline: indented for people, on one line for programs. */
export function toJson(value: unknown, pretty: boolean): string {
  return `${JSON.stringify(value, undefined, pretty ? 2 : undefined)}\n`;
}

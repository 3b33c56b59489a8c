// What comes from a guest or a VMM may hold sequences that would drive the user's terminal.
// oxlint-disable-next-line no-control-regex
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** A text without control characters; newlines and tabs stay. */
export function printable(text: string): string {
  return text.replaceAll("\r\n", "\n").replaceAll(control, "\ufffd");
}

/** A text for one line of a table: without any control character. */
export function printableLine(text: string): string {
  return printable(text).replaceAll(/[\n\t]/g, " ");
}

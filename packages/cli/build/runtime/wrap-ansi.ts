import realWrapAnsi from "oclif:node_modules/wrap-ansi";

/** wrap-ansi; a plain line that fits, and has no blanks at its ends to be trimmed, stays as it is. */
export default function wrapAnsi(
  text: string,
  columns: number,
  options?: Parameters<typeof realWrapAnsi>[2],
): string {
  const fits = text.length <= columns && /^[!-~](?:[ -~]*[!-~])?$/.test(text);
  return fits ? text : realWrapAnsi(text, columns, options);
}

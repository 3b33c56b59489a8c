import realStringWidth from "oclif:node_modules/string-width";

/** string-width; of plain text it is the length, which takes no tables of emoji to know. */
export default function stringWidth(text: string): number {
  return /^[ -~]*$/.test(text) ? text.length : realStringWidth(text);
}

/** A text within an option of QEMU's (`key=value,…`), where a comma is written twice. */
export function optionValue(text: string): string {
  return text.replaceAll(",", ",,");
}

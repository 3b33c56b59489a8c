/** The characters of command ids, in the order that `localeCompare` gives them. */
const order = "_-:0123456789abcdefghijklmnopqrstuvwxyz";
const plain = /^[_\-:\da-z]*$/;

/** The order of `a.localeCompare(b)`, whose first call takes some ten milliseconds: command ids need none of it. */
export function compareIds(a: string, b: string): number {
  if (!plain.test(a) || !plain.test(b)) return a.localeCompare(b);
  for (let index = 0; index < a.length && index < b.length; index += 1)
    if (a[index] !== b[index])
      return order.indexOf(a.charAt(index)) - order.indexOf(b.charAt(index));
  return a.length - b.length;
}

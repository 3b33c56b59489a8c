const MAX_U64 = 2n ** 64n - 1n;
const MAX_POWER = 308;

/**
 * A decimal number as a float, in the way of the real program's parser: as many digits as fit into 64 bits times a power of
 * ten, which is now and then off by the last bit. Infinite where it is out of range.
 */
export function parseFloat64(text: string): number {
  const [, sign = "", integer = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  let significand = 0n;
  let shift = Number(exponent);
  let full = false;
  for (const digit of integer) {
    const next = significand * 10n + BigInt(digit);
    full ||= next > MAX_U64;
    if (full) shift++;
    else significand = next;
  }
  for (const digit of fraction) {
    const next = significand * 10n + BigInt(digit);
    full ||= next > MAX_U64;
    if (full) break;
    significand = next;
    shift--;
  }
  const size = scale(Number(significand), shift);
  return sign === "-" ? -size : size;
}

function scale(significand: number, shift: number): number {
  let value = significand;
  let left = shift;
  while (left < -MAX_POWER && value !== 0) {
    value /= 1e308;
    left += MAX_POWER;
  }
  if (value === 0) return 0;
  if (left > MAX_POWER) return Infinity;
  return left < 0 ? value / powerOfTen(-left) : value * powerOfTen(left);
}

function powerOfTen(exponent: number): number {
  return Number(`1e${exponent}`);
}

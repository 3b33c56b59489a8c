import { archiveInvalid } from "./archive-invalid.ts";

/** The records of a pax header in their order: a key may come again. */
export type PaxRecords = readonly (readonly [key: string, value: string])[];

/**
 * Reads records of the form `LENGTH KEY=VALUE\n`.
 * @param encoding `latin1` keeps every byte of values that are no text
 * @throws SilkError `ARCHIVE_INVALID`
 */
export function parsePax(bytes: Buffer, encoding: "utf8" | "latin1" = "utf8"): PaxRecords {
  const records: (readonly [string, string])[] = [];
  for (let start = 0; start < bytes.length;) {
    const space = bytes.indexOf(0x20, start);
    const digits = bytes.toString("latin1", start, Math.min(space, start + 12));
    const end = start + Number(digits);
    const equals = bytes.indexOf(0x3d, space);
    const isWhole =
      space > start &&
      /^[1-9][0-9]*$/.test(digits) &&
      end <= bytes.length &&
      equals > space &&
      equals < end &&
      bytes[end - 1] === 0x0a;
    if (!isWhole) throw archiveInvalid("a pax header in it is damaged");
    records.push([
      bytes.toString(encoding, space + 1, equals),
      bytes.toString(encoding, equals + 1, end - 1),
    ]);
    start = end;
  }
  return records;
}

/** The value of a key: the last one counts. An empty value takes the key back. */
export function paxValue(records: PaxRecords, key: string): string | undefined {
  const value = records.findLast(([name]) => name === key)?.[1];
  return value === "" ? undefined : value;
}

/** A value that is a whole number of bytes. @throws SilkError `ARCHIVE_INVALID` */
export function paxNumber(records: PaxRecords, key: string): number | undefined {
  const value = paxValue(records, key);
  return value === undefined ? undefined : parseCount(value, key);
}

/** A decimal number that a file may have as its size. @throws SilkError `ARCHIVE_INVALID` */
export function parseCount(digits: string, what: string): number {
  const value = /^[0-9]{1,16}$/.test(digits) ? Number(digits) : NaN;
  if (Number.isSafeInteger(value)) return value;
  throw archiveInvalid(`${what} in it is no number, or too large`);
}

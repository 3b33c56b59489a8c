import { custom } from "@oclif/core/flags";
import { CliError } from "../cli-error.ts";
import { parseDuration } from "../parse/duration.ts";
import { parseInteger } from "../parse/integer.ts";
import { parseSize } from "../parse/size.ts";

/** Names the flag in what its value's reader throws. */
function naming<T>(flag: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    throw new CliError(`--${flag}: ${error.message}`, error);
  }
}

/** A flag that takes a size: bytes. */
export const sizeFlag = custom<number>({
  helpValue: "SIZE",
  parse: async (input, _context, { name }) => naming(name, () => parseSize(input)),
});

/** A flag that takes a duration: milliseconds. */
export const durationFlag = custom<number>({
  helpValue: "DURATION",
  parse: async (input, _context, { name }) => naming(name, () => parseDuration(input)),
});

/** A flag that takes a whole number. */
export const integerFlag = custom<number, { min?: number }>({
  helpValue: "N",
  parse: async (input, _context, { name, min }) =>
    naming(name, () => parseInteger(input, { min: min ?? 0 })),
});

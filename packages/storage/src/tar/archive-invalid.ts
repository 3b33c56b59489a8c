import { SilkError } from "@silkvm/core";

/** The error for an archive that is none, or not one to be unpacked. */
export function archiveInvalid(why: string, cause?: unknown): SilkError {
  return new SilkError(`the archive is not valid: ${why}`, {
    code: "ARCHIVE_INVALID",
    kind: "invalid",
    hint: "Make it again, with `silk snapshot export`, and see that all of it arrives.",
    cause,
  });
}

/** A name of an archive as a message can show it: what is odd in it is escaped, and it is not long. */
export function shown(name: string): string {
  const short = name.length > 80 ? `${name.slice(0, 80)}…` : name;
  return /^[\w.-]+$/.test(short) ? short : JSON.stringify(short);
}

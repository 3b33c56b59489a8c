import { SilkError } from "../errors.ts";
import type { Host } from "../host.ts";

/** Ids, names of VMs, and everything else that a person names. */
export const namePattern: RegExp = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$/;

/** An id that nobody chose: 16 hexadecimal digits. */
export function randomId({ random }: Pick<Host, "random">): string {
  return Buffer.from(random.bytes(8)).toString("hex");
}

/** A name, if it can be one. @param what what it is the name of, for the message @throws SilkError `INVALID_NAME` */
export function checkName(value: string, what: string): string {
  if (namePattern.test(value)) return value;
  throw new SilkError(`${JSON.stringify(value)} is no valid ${what}`, {
    code: "INVALID_NAME",
    kind: "invalid",
    hint: "Use 1 to 63 letters, digits, dots, dashes and underscores, and begin with a letter or a digit.",
    details: { value },
  });
}

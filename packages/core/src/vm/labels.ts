import * as v from "valibot";
import { validate } from "../validate.ts";

/** Labels of a VM: keys and values that mean nothing to silk. */
export const labelsSchema = v.record(
  v.pipe(
    v.string(),
    v.regex(
      /^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/,
      "is no label: a key is 1 to 63 letters, digits, dots, dashes, underscores or slashes",
    ),
  ),
  v.pipe(v.string(), v.maxLength(256, "is too long: a value has at most 256 characters")),
);

/** @throws SilkError `INVALID_SPEC` */
export function checkLabels(labels: unknown): Readonly<Record<string, string>> {
  return validate(labelsSchema, labels, "INVALID_SPEC", "a label");
}

import * as v from "valibot";
import { SilkError } from "./errors.ts";

/**
 * Checks a value that comes from outside.
 * @throws SilkError `code` of kind `invalid`, its message naming every field that is wrong, `details.issues` the same for programs
 */
export function validate<S extends v.GenericSchema>(
  schema: S,
  value: unknown,
  code: string,
  what: string,
): v.InferOutput<S> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const issues = result.issues.map((issue) => ({
    path: v.getDotPath(issue) ?? "",
    message: isOfKey(issue) ? wrongKey(issue) : issue.message,
  }));
  const told = issues.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));
  throw new SilkError(`${what} is not valid: ${told.join("; ")}`, {
    code,
    kind: "invalid",
    details: { issues },
  });
}

/** Whether it is a key that is wrong, and not its value. */
function isOfKey({ path, type }: v.BaseIssue<unknown>): boolean {
  return type === "strict_object" && path?.at(-1)?.origin === "key";
}

function wrongKey({ expected }: v.BaseIssue<unknown>): string {
  return expected === "never" ? "is no word that is known here" : "is missing";
}

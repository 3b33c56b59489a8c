import { usageError } from "../cli-error.ts";
import type { ImageView } from "./image-view.ts";

type Test = (image: ImageView) => boolean;

const fields = {
  name: ({ name }: ImageView) => name,
  digest: ({ digest }: ImageView) => digest,
  type: ({ type }: ImageView) => type,
} as const;

/**
 * Reads the `--filter` flags of a list of images: `name=ghcr.io/acme/*`, `type=cloudimg`, `label=key=value`. Filters of one field are
 * alternatives; fields and labels must all hold.
 * @throws CliError of kind `invalid`
 */
export function parseImageFilters(texts: readonly string[]): Test {
  const byField = new Map<keyof typeof fields, Test[]>();
  const labels: Test[] = [];
  for (const text of texts) {
    const equals = text.indexOf("=");
    const [key, value] = [text.slice(0, Math.max(0, equals)), text.slice(equals + 1)];
    if (key === "label") labels.push(labelTest(value));
    else if (key in fields) {
      const field = key as keyof typeof fields;
      byField.set(field, [...(byField.get(field) ?? []), fieldTest(field, value)]);
    } else
      throw usageError(
        `--filter: ${JSON.stringify(text)} is no filter`,
        "Write --filter name=ghcr.io/acme/*, --filter type=cloudimg, --filter digest=sha256:1f* or --filter label=key=value.",
      );
  }
  return (image) =>
    labels.every((test) => test(image)) &&
    [...byField.values()].every((alternatives) => alternatives.some((test) => test(image)));
}

const types: ReadonlySet<string> = new Set<ImageView["type"]>([
  "oci-vm",
  "oci-container",
  "cloudimg",
]);

function fieldTest(field: keyof typeof fields, pattern: string): Test {
  if (field === "type" && !pattern.includes("*") && !types.has(pattern))
    throw usageError(
      `--filter: there is no type ${JSON.stringify(pattern)}`,
      `The types are ${[...types].join(", ")}.`,
    );
  const literal = pattern
    .split("*")
    .map((part) => part.replaceAll(/[\\^$.|?+()[\]{}]/g, String.raw`\$&`));
  const expression = new RegExp(`^${literal.join(".*")}$`);
  return (image) => expression.test(fields[field](image));
}

function labelTest(text: string): Test {
  const equals = text.indexOf("=");
  const key = equals === -1 ? text : text.slice(0, equals);
  return ({ run }) =>
    run !== undefined &&
    Object.hasOwn(run.labels, key) &&
    (equals === -1 || run.labels[key] === text.slice(equals + 1));
}

import type { VmSummary } from "@silkvm/core";
import { usageError } from "./cli-error.ts";

type Test = (vm: VmSummary) => boolean;

const fields = {
  id: ({ id }: VmSummary) => id,
  name: ({ name }: VmSummary) => name,
  state: ({ state }: VmSummary) => state,
  image: ({ image }: VmSummary) => image ?? "",
  backend: ({ backend }: VmSummary) => backend,
} as const;

const states: ReadonlySet<string> = new Set<VmSummary["state"]>([
  "creating",
  "created",
  "running",
  "stopped",
  "error",
]);

/**
 * Reads the `--filter` flags: `name=web*`, `state=running`, `label=team`, `label=team=web`, `team=web`. Filters of one field are
 * alternatives; fields and labels must all hold.
 * @throws CliError of kind `invalid`
 */
export function parseFilters(texts: readonly string[]): Test {
  const byField = new Map<keyof typeof fields, Test[]>();
  const labels: Test[] = [];
  for (const text of texts) {
    const equals = text.indexOf("=");
    const key = text.slice(0, equals);
    const value = text.slice(equals + 1);
    if (equals < 1)
      throw usageError(
        `--filter: ${JSON.stringify(text)} is no filter`,
        "Write --filter state=running, --filter name=web* or --filter label=value.",
      );
    if (key in fields) {
      const field = key as keyof typeof fields;
      byField.set(field, [...(byField.get(field) ?? []), fieldTest(field, value)]);
    } else labels.push(key === "label" ? labelTest(value) : labelTest(text));
  }
  return (vm) =>
    labels.every((test) => test(vm)) &&
    [...byField.values()].every((alternatives) => alternatives.some((test) => test(vm)));
}

function fieldTest(field: keyof typeof fields, pattern: string): Test {
  if (field === "state" && !states.has(pattern))
    throw usageError(
      `--filter: there is no state ${JSON.stringify(pattern)}`,
      `The states are ${[...states].join(", ")}.`,
    );
  const literal = pattern
    .split("*")
    .map((part) => part.replaceAll(/[\\^$.|?+()[\]{}]/g, String.raw`\$&`));
  const expression = new RegExp(`^${literal.join(".*")}$`);
  return (vm) => expression.test(fields[field](vm));
}

function labelTest(text: string): Test {
  const equals = text.indexOf("=");
  if (equals === -1) return ({ labels }) => Object.hasOwn(labels, text);
  const key = text.slice(0, equals);
  const value = text.slice(equals + 1);
  return ({ labels }) => Object.hasOwn(labels, key) && labels[key] === value;
}

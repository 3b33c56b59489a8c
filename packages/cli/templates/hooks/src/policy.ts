import type { AddedLabels, Veto } from "@silkvm/core";

/** What the policy asks for, for people. */
export const rules: readonly string[] = ["a VM has the label owner"];

/** Forbids a VM that nobody owns, and marks the others. */
export function policy(labels: Readonly<Record<string, string>>): Veto | AddedLabels {
  return labels["owner"] === undefined
    ? { veto: "a VM needs an owner: --label owner=NAME" }
    : { labels: { policy: "example" } };
}

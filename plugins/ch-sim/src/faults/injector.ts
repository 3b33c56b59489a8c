import { readFileSync } from "node:fs";

import { type FaultAction, type FaultRule, parseFaults } from "./rules.ts";

/** Decides for each call whether something goes wrong with it. */
export class FaultInjector {
  readonly #rules: readonly FaultRule[];
  readonly #controlFile: string | undefined;
  readonly #counts = new Map<string, number>();
  /** How often each rule of the control file has seen its call, by the rule's text. */
  readonly #controlCounts = new Map<string, number>();

  constructor(rules: readonly FaultRule[], controlFile: string | undefined) {
    this.#rules = rules;
    this.#controlFile = controlFile;
  }

  /** What is to happen to this call. Throws an Error where the control file is there but wrong. */
  next(call: string): FaultAction | undefined {
    const count = (this.#counts.get(call) ?? 0) + 1;
    this.#counts.set(call, count);
    const fixed = this.#rules.find(
      (rule) => applies(rule, call) && (rule.nth === undefined || rule.nth === count),
    );
    return fixed ?? this.#controlled(call);
  }

  /** A control file's rules count from the moment at which they are first seen. */
  #controlled(call: string): FaultAction | undefined {
    let found: FaultAction | undefined;
    for (const rule of readControl(this.#controlFile)) {
      if (!applies(rule, call)) continue;
      const key = JSON.stringify(rule);
      const count = (this.#controlCounts.get(key) ?? 0) + 1;
      this.#controlCounts.set(key, count);
      if (rule.nth === undefined || rule.nth === count) found ??= rule;
    }
    return found;
  }
}

function applies(rule: FaultRule, call: string): boolean {
  return rule.call === "*" || rule.call === call;
}

function readControl(path: string | undefined): FaultRule[] {
  if (path === undefined) return [];
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  return text.trim() === "" ? [] : parseFaults(JSON.parse(text));
}

import type { Patient } from "./context.ts";
import type { Check, Finding } from "./finding.ts";
import { type CheckOptions, contextFor, runChecks } from "./run-checks.ts";

/**
 * Does what can be done without asking about what was found, one after the other, and looks again.
 * What is not mended stays as it is found then, with the reason.
 */
export async function repairAll(
  checks: readonly Check[],
  findings: readonly Finding[],
  patient: Patient,
  options: CheckOptions = {},
): Promise<readonly Finding[]> {
  const signal = options.signal ?? new AbortController().signal;
  const { context } = await contextFor(patient, signal, options);
  const results = new Map<string, Pick<Finding, "repaired" | "repairFailed">>();
  for (const check of checks) {
    const finding = findings.find(({ id }) => id === check.id);
    const isWrong = finding?.status === "failed" || finding?.status === "warning";
    if (!isWrong || finding.fix?.automatic !== true || check.repair === undefined) continue;
    signal.throwIfAborted();
    try {
      results.set(check.id, { repaired: await check.repair(context) });
    } catch (error) {
      signal.throwIfAborted();
      results.set(check.id, {
        repairFailed: error instanceof Error ? error.message : String(error),
      });
    }
  }
  if (results.size === 0) return findings;
  const again = await runChecks(checks, patient, options);
  return again.map((finding) => ({ ...finding, ...results.get(finding.id) }));
}

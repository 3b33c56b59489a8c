import { type Host, type ToolResult, toSilkError } from "@silkvm/core";
import { toolFailed, toolMissing } from "../errors.ts";

/** Lines for one process of `ip` or `tc`, carried out in order; the first that fails is the last. */
export interface Batch {
  readonly program: "ip" | "tc";
  readonly lines: readonly string[];
  /** Name of the network namespace to work in. */
  readonly namespace?: string | undefined;
  /** Options before `-batch`, such as `-force`. */
  readonly options?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Runs a batch, whatever comes of it. @throws SilkError `IP_NOT_FOUND` */
export async function tryBatch(host: Host, batch: Batch): Promise<ToolResult> {
  const { program, lines, namespace, options = [], signal } = batch;
  try {
    return await host.processes.run({
      command: program,
      args: [...(namespace === undefined ? [] : ["-n", namespace]), ...options, "-batch", "-"],
      input: lines.map((line) => `${line}\n`).join(""),
      signal,
    });
  } catch (error) {
    throw toToolError(program, error, signal);
  }
}

/** Runs a batch to its last line; none at all is fine. @throws SilkError `PERMISSION_DENIED`, `IP_FAILED`, … */
export async function runBatch(host: Host, batch: Batch): Promise<void> {
  if (batch.lines.length === 0) return;
  const result = await tryBatch(host, batch);
  if (result.exitCode === 0) return;
  const number = /^Command failed -:(\d+)/m.exec(result.stderr)?.[1];
  const line = batch.lines[Number(number ?? 1) - 1] ?? "-batch -";
  throw toolFailed({ program: batch.program, line, result });
}

/** What it means that a program could not be run to its end. An abort stays the caller's own. */
export function toToolError(program: string, error: unknown, signal?: AbortSignal): unknown {
  if (signal?.aborted === true) return error;
  if ((error as { code?: unknown } | null)?.code === "ENOENT") return toolMissing(program, error);
  return toSilkError(error, `cannot run ${program}`);
}

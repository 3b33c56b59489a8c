import { appendFile } from "node:fs/promises";
import { definePlugin, type PluginDefinition } from "@silkvm/core";

/** A line of the log. */
export interface AuditLine {
  /** ISO 8601: when the operation began. */
  readonly at: string;
  readonly operation: string;
  readonly verb: string;
  readonly ref?: string | undefined;
  readonly vm?:
    | { readonly id: string; readonly name: string; readonly backend: string }
    | undefined;
  readonly user: { readonly uid: number | undefined; readonly sudoUser: string | undefined };
  readonly pid: number;
  readonly tookMs: number;
  /** `done`, or the code of the error. */
  readonly outcome: string;
  readonly message?: string | undefined;
}

/**
 * Writes a line of JSON for every operation that has come to its end, well or not. The file is opened for each line, and each line is
 * one write at its end: many processes share it, and a rotation that renames it takes no line away.
 */
export function auditLog(path: string): PluginDefinition {
  return definePlugin({
    name: "audit-log",
    apiVersion: 1,
    hooks: {
      "operation:end": async ({ id, verb, ref, vm, startedAt, tookMs, error }) => {
        const line: AuditLine = {
          at: startedAt,
          operation: id,
          verb,
          ref,
          vm,
          user: { uid: process.getuid?.(), sudoUser: process.env["SUDO_USER"] },
          pid: process.pid,
          tookMs,
          outcome: error?.code ?? "done",
          message: error?.message,
        };
        await appendFile(path, `${JSON.stringify(line)}\n`, { mode: 0o600, flush: true });
      },
    },
  });
}

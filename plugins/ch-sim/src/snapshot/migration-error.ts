import { plainError, VmmError } from "../errors.ts";

const MESSAGES = {
  Pause: "Failed to pause migratable component",
  Resume: "Failed to resume migratable component",
  Snapshot: "Failed to snapshot migratable component",
  Restore: "Failed to restore migratable component",
  MigrateSend: "Failed to send migratable component snapshot",
  MigrateReceive: "Failed to receive migratable component snapshot",
} as const;

/** A step of pausing, resuming, saving or restoring that failed, with the reason in words. */
export function migrationError(
  step: keyof typeof MESSAGES,
  reason: string,
  source?: VmmError,
): VmmError {
  return new VmmError(step, MESSAGES[step], plainError(reason, source));
}

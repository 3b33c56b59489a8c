import { objectOf } from "./qmp/messages.ts";
import type { QmpCaller, QmpCallOptions } from "./qmp/client.ts";

/** What `query-status` says: `running`, `paused`, `inmigrate`, `postmigrate`, … */
export async function runState(monitor: QmpCaller, options: QmpCallOptions = {}): Promise<string> {
  const answer = objectOf(await monitor.execute("query-status", undefined, options));
  return String(answer?.["status"]);
}

const standing: ReadonlySet<string> = new Set([
  "paused",
  "postmigrate",
  "finish-migrate",
  "save-vm",
  "restore-vm",
  "suspended",
  "internal-error",
  "io-error",
  "guest-panicked",
  "debug",
  "watchdog",
]);

/** Whether the guest is there and stands still. */
export function standsStill(state: string): boolean {
  return standing.has(state);
}

import { type Host, SilkError } from "@silkvm/core";
import type { QmpCaller, QmpCallOptions } from "./qmp/client.ts";
import { objectOf, type QmpVersion } from "./qmp/messages.ts";
import { isAtLeast } from "./version.ts";
import type { MachineDocument } from "./machine-document.ts";

/** QEMU is not to be gentle with the host: the guest stands still meanwhile. */
const bytesPerSecond = 2 ** 40;
const lookAgainMs = 10;
/** How long a shell may take to name what it has written. */
const closeMs = 30_000;

const fileUris = { major: 8, minor: 2 };
const mappedRam = { major: 9, minor: 0 };

/** How this QEMU writes a guest's memory best. */
export function memoryFormat(version: QmpVersion): MachineDocument["memory"] {
  return isAtLeast(version, mappedRam) ? "mapped" : "stream";
}

/** Whether a QEMU of this version can read memory of such a format. */
export function canRead(version: QmpVersion, format: MachineDocument["memory"]): boolean {
  return format === "stream" || isAtLeast(version, mappedRam);
}

export interface MigrationTarget {
  readonly version: QmpVersion;
  readonly format: MachineDocument["memory"];
  readonly path: string;
}

/**
 * Writes the state of a guest that stands still into a file. Where it throws, or is aborted, QEMU has given up, and the guest can run on.
 */
export async function saveGuest(
  host: Host,
  monitor: QmpCaller & { readonly waiting: QmpCaller },
  { version, format, path }: MigrationTarget,
  { signal }: QmpCallOptions,
): Promise<void> {
  const { waiting } = monitor;
  await prepare(monitor, format);
  const unfinished = `${path}.unfinished`;
  // Before 8.2 only a shell can write a file; it names the file when it is whole.
  const uri = isAtLeast(version, fileUris)
    ? `file:${path}`
    : `exec:cat > ${quoted(unfinished)} && mv ${quoted(unfinished)} ${quoted(path)}`;
  try {
    await monitor.execute("migrate", { uri });
    await host.effect("QMP migrated", async () => {
      await untilDone(host, waiting, "the guest's memory could not be written", { signal });
      await untilThere(host, path, signal);
    });
  } catch (error) {
    // It may have begun even so: the guest would be stopped again at its end.
    await giveUp(host, waiting);
    throw error;
  }
}

/** Reads the state of a guest from a file into a QEMU that waits for it. */
export async function loadGuest(
  host: Host,
  monitor: QmpCaller & { readonly waiting: QmpCaller },
  { version, format, path }: MigrationTarget,
  options: () => QmpCallOptions,
): Promise<void> {
  await prepare(monitor, format);
  const uri = isAtLeast(version, fileUris) ? `file:${path}` : `exec:cat ${quoted(path)}`;
  await monitor.execute("migrate-incoming", { uri }, options());
  await host.effect("QMP migrated", () =>
    untilDone(host, monitor.waiting, "the guest's memory could not be read", options()),
  );
}

/** Has QEMU give up a migration that somebody began who is no more. Nothing under way is fine. */
export async function giveUp(host: Host, monitor: QmpCaller): Promise<void> {
  await monitor.execute("migrate_cancel");
  while (isUnderWay(await migrationStatus(monitor))) await host.clock.delay(lookAgainMs);
}

async function prepare(
  monitor: Pick<QmpCaller, "execute">,
  format: MachineDocument["memory"],
): Promise<void> {
  if (format === "mapped")
    await monitor.execute("migrate-set-capabilities", {
      capabilities: [{ capability: "mapped-ram", state: true }],
    });
  await monitor.execute("migrate-set-parameters", { "max-bandwidth": bytesPerSecond });
}

async function untilDone(
  host: Host,
  monitor: QmpCaller,
  what: string,
  options: QmpCallOptions,
): Promise<void> {
  for (;;) {
    const answer = objectOf(await monitor.execute("query-migrate", undefined, options)) ?? {};
    const { status, "error-desc": description } = answer;
    if (status === "completed") return;
    if (status === "failed" || status === "cancelled")
      throw new SilkError(`${what}: ${typeof description === "string" ? description : status}`, {
        code: "MIGRATION_FAILED",
        kind: "failed",
        hint: "The VMM's log tells more.",
      });
    await host.clock.delay(lookAgainMs, { signal: options.signal });
  }
}

/** A shell ends a moment after QEMU has. */
async function untilThere(
  host: Host,
  path: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const deadlineMs = host.clock.monotonicMs() + closeMs;
  while ((await host.files.stat(path)) === undefined) {
    if (host.clock.monotonicMs() > deadlineMs)
      throw new SilkError(`the guest's memory could not be written: ${path} is not finished`, {
        code: "MIGRATION_FAILED",
        kind: "failed",
        hint: "Look whether there is room on the disk: df",
      });
    await host.clock.delay(lookAgainMs, { signal });
  }
}

async function migrationStatus(monitor: QmpCaller): Promise<unknown> {
  return objectOf(await monitor.execute("query-migrate"))?.["status"];
}

function isUnderWay(status: unknown): boolean {
  return ["setup", "active", "device", "cancelling", "pre-switchover", "wait-unplug"].includes(
    String(status),
  );
}

/** For a shell: nothing within single quotes means anything to it. */
function quoted(path: string): string {
  return `'${path.replaceAll("'", `'\\''`)}'`;
}

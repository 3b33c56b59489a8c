import type { Host } from "@silkvm/core";

/** As much of the end of a log as an error carries. */
const tailBytes = 16 * 1024;
const tailLines = 40;

/** Where the log of a launch begins: earlier runs of the VM are in the same file. */
export async function logEnd(host: Host, logPath: string): Promise<number> {
  return (await host.files.stat(logPath))?.sizeBytes ?? 0;
}

/** The last lines that were written to a log since it had a length. */
export async function readLogSince(
  host: Host,
  logPath: string,
  offset: number,
): Promise<readonly string[]> {
  const end = await logEnd(host, logPath);
  const from = Math.max(offset, end - tailBytes);
  if (from >= end) return [];
  const bytes = await host.files.readRange(logPath, from, end - from);
  return Buffer.from(bytes).toString("utf8").trimEnd().split("\n").slice(-tailLines);
}

/**
 * What a VMM's log says of its end, outermost first: its chain of errors, the complaint about its arguments, or its panic.
 * Empty where it says nothing.
 */
export function errorChain(log: readonly string[]): readonly string[] {
  const start = log.findLastIndex((line) => /^Error: .* exited with the following /.test(line));
  if (start !== -1) {
    const chain: string[] = [];
    for (const line of log.slice(start + 1)) {
      const link = /^ {2}(?:\d+: )?(?<text>\S.*)$/.exec(line)?.groups?.["text"];
      if (link !== undefined) chain.push(link.trim());
      // A message of several lines goes on without an indent of its own.
      else if (chain.length > 0 && line !== "" && !isLogLine(line))
        chain.push(`${chain.pop() ?? ""} ${line.trim()}`);
      else break;
    }
    return chain;
  }
  const panic = log.findLastIndex((line) => /panicked at /.test(line));
  if (panic !== -1)
    return [
      log
        .slice(panic, panic + 2)
        .join(" ")
        .trim(),
    ];
  const usage = log.findLast((line) => line.startsWith("error: "));
  return usage === undefined ? [] : [usage.slice("error: ".length)];
}

/** The links of a chain that say something: without the wrapping that every failure has, and without repetitions. */
export function meaningful(chain: readonly string[]): readonly string[] {
  const links = chain.filter((link) => !wrapping.has(link));
  return links.filter((link, index) => {
    const before = links[index - 1];
    return before === undefined || !before.includes(link);
  });
}

const wrapping: ReadonlySet<string> = new Set([
  "Error booting VM",
  "Error creating VM",
  "Error from API",
  "The VM could not boot",
  "The VM could not be created",
  "Error from device manager",
  "Failed to start the VMM thread",
]);

/** `cloud-hypervisor:   0.004s: <vmm> ERROR:…` */
function isLogLine(line: string): boolean {
  return /^\S+:\s+\d+\.\d+s: </.test(line);
}

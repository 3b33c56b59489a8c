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

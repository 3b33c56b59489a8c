/** What a real v53 wrote to `--event-monitor`: a VM that ran and ended. */
export const eventText = [
  ["vmm", "starting", 61224],
  ["vm", "booting", 1511779],
  ["vm", "booted", 18438542],
  ["vm", "shutdown", 500323884],
  ["vm", "deleted", 501603992],
  ["vmm", "shutdown", 501622457],
]
  .map(([source, event, nanos]) => eventJson(String(source), String(event), Number(nanos)))
  .join("");

/** One event, as the VMM writes it. */
export function eventJson(
  source: string,
  event: string,
  nanos = 1,
  properties: Readonly<Record<string, string>> | null = null,
): string {
  return `${JSON.stringify({ timestamp: { secs: 0, nanos }, source, event, properties }, undefined, 2)}\n\n`;
}

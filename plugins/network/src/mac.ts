import type { HostRandom } from "@silkvm/core";

/** A random MAC that no manufacturer has given out (locally administered, unicast) and that is not among those taken. */
export function randomMac(random: HostRandom, taken: ReadonlySet<string>): string {
  for (;;) {
    const bytes = random.bytes(6);
    bytes[0] = ((bytes[0] ?? 0) & 0xfc) | 0x02;
    const mac = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(":");
    if (!taken.has(mac)) return mac;
  }
}

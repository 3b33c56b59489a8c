import type { Host } from "../host.ts";

const prefix = "silk";
/** The kernel has room for 15 characters: 4 and 11. */
const randomBytes = 6;
const nameLength = 15;

/** A name that no TAP has: the VMM makes one for it, which goes with the NIC. */
export function throwAwayTap({ random }: Pick<Host, "random">): string {
  const hex = Buffer.from(random.bytes(randomBytes)).toString("hex");
  return `${prefix}${hex}`.slice(0, nameLength);
}

import type { Nic } from "@silkvm/core";
import * as v from "valibot";

const resultSchema = v.looseObject({
  interfaces: v.optional(
    v.array(v.looseObject({ name: v.string(), sandbox: v.optional(v.string()) })),
  ),
  ips: v.optional(
    v.array(
      v.looseObject({
        address: v.string(),
        gateway: v.optional(v.string()),
        interface: v.optional(v.number()),
      }),
    ),
  ),
  routes: v.optional(v.array(v.looseObject({ dst: v.string(), gw: v.optional(v.string()) }))),
});

/** What ADD answers: kept and passed on whole, with what silk does not know of. */
export type CniResult = v.InferOutput<typeof resultSchema>;

export { resultSchema };

/**
 * The IPv4 address that a network gave the guest's interface; undefined where it gave none, and the guest asks by DHCP.
 * The gateway is the address's own, else the default route's; an empty one where the network has none.
 */
export function addressOf(result: CniResult, ifname: string): Nic["address"] {
  for (const { address, gateway, interface: index } of result.ips ?? []) {
    const match = /^(\d+\.\d+\.\d+\.\d+)\/(\d+)$/.exec(address);
    const owner = index === undefined ? undefined : result.interfaces?.[index];
    const elsewhere = owner !== undefined && owner.name !== ifname;
    if (match === null || elsewhere) continue;
    const [, ip = "", prefix = ""] = match;
    const route = result.routes?.find(({ dst, gw }) => dst === "0.0.0.0/0" && gw !== undefined);
    return { ip, prefix: Number(prefix), gateway: gateway ?? route?.gw ?? "" };
  }
  return undefined;
}

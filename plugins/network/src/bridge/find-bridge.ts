import { type CallOptions, type Host, SilkError, type VmConfig } from "@silkvm/core";
import { type Link, readLinks } from "../ip/links.ts";

/** What the kernel allows, short of what would have to be quoted. */
const deviceName = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/;

/** The name of the bridge that a VM wants. @throws SilkError `INVALID_SPEC` */
export function bridgeName({ bridge }: Pick<VmConfig, "bridge">): string {
  if (bridge !== undefined && deviceName.test(bridge)) return bridge;
  throw new SilkError(
    bridge === undefined
      ? "the VM wants NICs on a bridge, and no bridge is named"
      : `${JSON.stringify(bridge)} is no name of a bridge`,
    {
      code: "INVALID_SPEC",
      kind: "invalid",
      hint: "Name one: --bridge br0 (`silk network list` shows them).",
    },
  );
}

/** The bridge, and other devices on the way. @throws SilkError `BRIDGE_NOT_FOUND`, `NOT_A_BRIDGE` */
export async function findBridge(
  host: Host,
  name: string,
  others: readonly string[],
  options: CallOptions,
): Promise<{ readonly bridge: Link; readonly links: ReadonlyMap<string, Link> }> {
  const links = (await readLinks(host, [name, ...others], options)) ?? new Map<string, Link>();
  const bridge = links.get(name);
  if (bridge === undefined)
    throw new SilkError(`there is no bridge ${name} on this host`, {
      code: "BRIDGE_NOT_FOUND",
      kind: "not-found",
      hint: `Make it (ip link add ${name} type bridge && ip link set ${name} up), or name another one: \`silk network list\` shows them.`,
      details: { bridge: name },
    });
  const kind = bridge.linkinfo?.info_kind;
  if (kind === "bridge") return { bridge, links };
  throw new SilkError(
    `${name} is no Linux bridge${kind === undefined ? "" : `: it is a device of the kind ${kind}`}`,
    {
      code: "NOT_A_BRIDGE",
      kind: "invalid",
      hint: "Name a bridge: `silk network list` shows them.",
      details: { bridge: name, ...(kind === undefined ? {} : { kind }) },
    },
  );
}

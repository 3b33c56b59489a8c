import type { CallOptions, Host, NetworkView } from "@silkvm/core";
import { toolFailed } from "../errors.ts";
import { parseLinks } from "../ip/links.ts";
import { tryBatch } from "../ip/run-batch.ts";

/** The Linux bridges of the host, with their ports. */
export async function listBridges(
  host: Host,
  { signal }: CallOptions,
): Promise<readonly NetworkView[]> {
  const lines = ["link show type bridge", "link show type bridge_slave"];
  const options = ["-j", "-d"];
  const result = await tryBatch(host, { program: "ip", options, lines, signal });
  if (result.exitCode !== 0)
    throw toolFailed({ program: "ip", line: "link show type bridge", result });
  const links = parseLinks(result.stdout);
  const bridges = links.filter(({ linkinfo }) => linkinfo?.info_kind === "bridge");
  return bridges.map(({ ifname, mtu, address, flags }) => {
    const ports = links.filter(({ master }) => master === ifname).map((port) => port.ifname);
    const up = flags.includes("UP");
    return {
      name: ifname,
      description: `bridge, ${ports.length} ${ports.length === 1 ? "port" : "ports"}${up ? "" : ", down"}`,
      details: { provider: "bridge", mtu, mac: address, up, ports },
    };
  });
}

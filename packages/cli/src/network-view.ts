import type { NetworkList } from "@silkvm/core";
import { type Field, renderFields } from "./output/fields.ts";
import { printableLine } from "./output/printable.ts";
import { type Column, renderTable } from "./output/table.ts";

/** A network of this host. */
export type Network = NetworkList["networks"][number];

const columns: readonly Column<Network>[] = [
  { header: "NAME", cell: ({ name }) => printableLine(name), shrinkTo: 8 },
  { header: "PROVIDER", cell: ({ provider }) => provider },
  { header: "FLAG", cell: (network) => printableLine(networkFlag(network)) },
  { header: "DESCRIPTION", cell: ({ description }) => printableLine(description), shrinkTo: 12 },
];

/** What `silk network list` prints for a person. */
export function renderNetworkList(networks: readonly Network[], width: number | undefined): string {
  return renderTable(columns, networks, { width });
}

/** What puts a VM into a network: `--bridge br0`. */
function networkFlag({ spec: { bridge, network } }: Network): string {
  return bridge === undefined ? `--network ${network}` : `--bridge ${bridge}`;
}

/** What `silk network inspect` prints for a person. */
export function renderNetwork(of: Network): string {
  const { name, provider, description, details } = of;
  const told = Object.entries(details).filter(([key]) => key !== "provider");
  return renderFields([
    ["Name", name],
    ["Provider", provider],
    ["Flag", networkFlag(of)],
    ["Description", description],
    ...told.map(([key, value]): Field => [titleOf(key), valueOf(value)]),
  ]);
}

/** `cniVersion` → `CNI version`. */
function titleOf(key: string): string {
  const words = key.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  const known = words.replace(/^(cni|mtu|mac)\b/, (word) => word.toUpperCase());
  return `${known.charAt(0).toUpperCase()}${known.slice(1)}`;
}

function valueOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.join(", ");
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "string" ? value : JSON.stringify(value);
}

import type { Nic, NicView } from "@silkvm/core";
import type { NetResizeResult } from "@silkvm/netresize";
import { type Column, renderTable } from "./output/table.ts";

/** Where a NIC is connected: who provides it, and the name of the bridge or the network. */
export function networkWord({ provider, bridge, network }: Nic): string {
  return [provider, bridge ?? network].filter((word) => word !== undefined).join(" ");
}

/** The address that its network gave it. */
export function addressWord({ address }: Nic): string {
  return address === undefined ? "DHCP" : `${address.ip}/${address.prefix}`;
}

const nicColumns: readonly Column<NicView>[] = [
  { header: "TAP", cell: ({ tap }) => tap },
  { header: "MAC", cell: ({ mac }) => mac },
  { header: "NETWORK", cell: networkWord, shrinkTo: 7 },
  { header: "ADDRESS", cell: addressWord },
  { header: "STATE", cell: ({ state }) => state },
  { header: "DEVICE", cell: ({ deviceId }) => deviceId ?? "-", shrinkTo: 8 },
  { header: "BDF", cell: ({ bdf }) => bdf ?? "-" },
];

/** What `silk vm net list` prints for a person. */
export function renderNicList(nics: readonly NicView[], width: number | undefined): string {
  return renderTable(nicColumns, nics, { width });
}

/** What `silk vm net set` prints for a person: each NIC that came or went, and how many there are. */
export function renderResize({ before, after, added, removed }: NetResizeResult): string {
  const line = (sign: string, nic: Nic): string =>
    `${sign} ${nic.tap}  ${nic.mac}  ${networkWord(nic)}  ${addressWord(nic)}\n`;
  const count = `${after} ${after === 1 ? "NIC" : "NICs"}`;
  return [
    ...removed.map((nic) => line("-", nic)),
    ...added.map((nic) => line("+", nic)),
    `${count}${before === after ? "" : ` (${before} before)`}\n`,
  ].join("");
}

import { isIPv4 } from "node:net";
import { SilkError } from "../errors.ts";
import type { VmSpec } from "./spec.ts";

/** A NIC takes a slot on the guest's bus, of which there are 32. */
export const mostNics = 16;

const macPattern = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;
const multicastBit = 0x01;

/** A number of NICs, if a VM can have so many. @throws SilkError `INVALID_SPEC` */
export function checkNicCount(count: number): number {
  if (Number.isInteger(count) && count >= 0 && count <= mostNics) return count;
  throw invalid(`${count} is no number of NICs`, `Give 0 to ${mostNics}.`);
}

/**
 * A MAC in the form that records have it, in lower case.
 * @throws SilkError `INVALID_SPEC`
 */
export function checkMac(value: string): string {
  const mac = value.toLowerCase();
  if (!macPattern.test(mac))
    throw invalid(
      `${JSON.stringify(value)} is no MAC address`,
      "Give six pairs of hexadecimal digits: 02:00:00:00:00:01",
    );
  if ((Number.parseInt(mac.slice(0, 2), 16) & multicastBit) !== 0)
    throw invalid(
      `${mac} is a multicast address, and no NIC can have one`,
      "The second digit must be even; 2, 6, a or e make it one that no manufacturer has given out.",
    );
  if (/^[0:]+$/.test(mac)) throw invalid(`${mac} is no NIC's address`, "Give another one.");
  return mac;
}

/** What a spec says of NICs, checked, with its defaults: one NIC where a bridge or a network is named. @throws SilkError `INVALID_SPEC` */
export function resolveNics(spec: Pick<VmSpec, "nics" | "macs" | "bridge" | "network" | "dns">): {
  readonly nics: number;
  readonly macs: readonly string[];
} {
  const { bridge, network } = spec;
  checkOneNetwork({ bridge, network });
  const macs = (spec.macs ?? []).map(checkMac);
  const twice = macs.find((mac, index) => macs.indexOf(mac) !== index);
  if (twice !== undefined)
    throw invalid(`the MAC ${twice} is given twice`, "Give each NIC one of its own.");
  const isNamed = bridge !== undefined || network !== undefined;
  const nics = checkNicCount(spec.nics ?? Math.max(isNamed ? 1 : 0, macs.length));
  if (macs.length > nics)
    throw invalid(
      `${macs.length} MACs are given, and the VM has ${nics} ${nics === 1 ? "NIC" : "NICs"}`,
      `Give --nics ${macs.length}, or fewer MACs.`,
    );
  const dns = (spec.dns ?? []).find((address) => !isIPv4(address));
  if (dns !== undefined)
    throw invalid(
      `${JSON.stringify(dns)} is no address of a DNS server`,
      "Give an IPv4 address, such as 1.1.1.1.",
    );
  return { nics, macs };
}

/** @throws SilkError `INVALID_SPEC` */
export function checkOneNetwork({ bridge, network }: Pick<VmSpec, "bridge" | "network">): void {
  if (bridge !== undefined && network !== undefined)
    throw invalid(
      "a bridge and a network do not go together: a VM's NICs are in one of them",
      "Give --bridge or --network.",
    );
}

function invalid(message: string, hint: string): SilkError {
  return new SilkError(message, { code: "INVALID_SPEC", kind: "invalid", hint });
}

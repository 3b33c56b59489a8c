import { SilkError } from "@silkvm/core";

/** Where the kernel lists PCI devices, by their addresses. */
export const pciDevices = "/sys/bus/pci/devices";

// Domains of more than four digits are those of Intel's VMD: the kernel pads to four, and to no more.
const form =
  /^(?:(?<domain>[0-9a-f]{4}|[1-9a-f][0-9a-f]{4,7}):)?(?<bus>[0-9a-f]{2}):(?<slot>[01][0-9a-f])\.(?<fn>[0-7])$/i;

/**
 * The full address of a PCI device, as the kernel writes it: `0000:01:00.0`.
 * @param text `01:00.0`, `0000:01:00.0`, or the device's path below `/sys/bus/pci/devices/`
 * @throws SilkError `INVALID_PCI_ADDRESS`
 */
export function parsePciAddress(text: string): string {
  const below = `${pciDevices}/`;
  const isPath = text.startsWith(below);
  const address = isPath ? text.slice(below.length).replace(/\/$/, "") : text;
  const { domain, bus, slot, fn } = form.exec(address)?.groups ?? {};
  if (bus === undefined || (isPath && domain === undefined))
    throw new SilkError(`${JSON.stringify(text)} is no address of a PCI device`, {
      code: "INVALID_PCI_ADDRESS",
      kind: "invalid",
      hint: `Write it as 01:00.0, 0000:01:00.0 or ${below}0000:01:00.0; \`silk host devices\` lists them.`,
      details: { pci: text },
    });
  return `${domain ?? "0000"}:${bus}:${slot}.${fn}`.toLowerCase();
}

/** Whether a text is an address that {@link parsePciAddress} takes. */
export function isPciAddress(text: string): boolean {
  try {
    parsePciAddress(text);
    return true;
  } catch {
    return false;
  }
}

/** The device's directory, through the kernel's list. */
export function pciPath(address: string): string {
  return `${pciDevices}/${address}`;
}

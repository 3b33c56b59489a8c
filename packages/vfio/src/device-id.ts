import { SilkError } from "@silkvm/core";

const form = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/;

/**
 * The id of a device in its VMM: the wanted one, or one that is made of its address.
 * @throws SilkError `INVALID_DEVICE_ID`
 */
export function deviceIdOf(pci: string, wanted: string | undefined): string {
  const own = `silk-vfio-${pci.replaceAll(/[:.]/g, "")}`;
  if (wanted === undefined || wanted === own) return own;
  if (form.test(wanted) && !wanted.startsWith("silk-")) return wanted;
  throw new SilkError(`${JSON.stringify(wanted)} is no id for a device`, {
    code: "INVALID_DEVICE_ID",
    kind: "invalid",
    hint: "Use 1 to 63 letters, digits, dots, dashes and underscores, and begin with a letter or a digit; what begins with silk- is silk's own.",
    details: { id: wanted },
  });
}

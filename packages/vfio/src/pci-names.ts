import type { Host } from "@silkvm/core";
import { readKernelFile } from "./kernel-files.ts";

/** Names of PCI devices by their numbers. What is not known is undefined. */
export interface PciNames {
  vendor(vendorId: string): string | undefined;
  device(vendorId: string, deviceId: string): string | undefined;
  /** Of the subclass where it has a name, else of the class. */
  deviceClass(classId: string): string | undefined;
}

/** Where distributions keep pci.ids. */
const places = [
  "/usr/share/misc/pci.ids",
  "/usr/share/hwdata/pci.ids",
  "/usr/share/pci.ids",
  "/usr/local/share/pci.ids",
  "/var/lib/pciutils/pci.ids",
];

/** The names that this system knows: none where it has no pci.ids. */
export async function readPciNames({ files }: Pick<Host, "files">): Promise<PciNames> {
  for (const place of places) {
    const text = await readKernelFile(files, place);
    if (text !== undefined) return parsePciIds(text);
  }
  return parsePciIds("");
}

/**
 * Reads pci.ids: vendors at the beginning of a line, their devices behind one tab, subsystems behind two; classes in the same way behind `C `.
 */
export function parsePciIds(text: string): PciNames {
  const names = new Map<string, string>();
  let group = "";
  for (const [, tabs = "", kind = "", id = "", name = ""] of text.matchAll(
    /^(\t{0,2})(C )?([0-9a-f]{2,4}) {2,}(\S.*)$/gim,
  )) {
    if (tabs === "") group = `${kind === "" ? "" : "c"}${id.toLowerCase()}`;
    if (tabs.length < 2)
      names.set(tabs === "" ? group : `${group}:${id.toLowerCase()}`, name.trim());
  }
  return {
    vendor: (vendorId) => names.get(vendorId),
    device: (vendorId, deviceId) => names.get(`${vendorId}:${deviceId}`),
    deviceClass: (classId) => {
      const main = `c${classId.slice(0, 2)}`;
      return names.get(`${main}:${classId.slice(2, 4)}`) ?? names.get(main);
    },
  };
}

import type { Host } from "@silkvm/core";
import { applets } from "./applets.ts";
import { readElf } from "./elf.ts";
import { busyboxMissing, wrongArchitecture } from "./errors.ts";
import { readWhole } from "./module-files.ts";

/** The busybox of this machine, which goes into the initramfs. @throws SilkError `BUSYBOX_MISSING` */
export async function findBusybox(host: Host): Promise<string> {
  const found = await host.processes.which("busybox");
  const path = found ?? (await host.processes.which("/bin/busybox"));
  if (path === undefined) throw busyboxMissing("there is no busybox on this machine");
  return path;
}

/**
 * Reads a busybox, and checks that it runs in an initramfs and can do all that the boot needs.
 * @throws SilkError `BUSYBOX_MISSING`, `ARCHITECTURE_MISSING`
 */
export async function readBusybox(host: Host, path: string, architecture: string): Promise<Buffer> {
  const bytes = await readWhole(host, await host.files.realpath(path));
  const elf = readElf(bytes);
  if (elf === undefined) throw busyboxMissing(`${path} is no program`);
  if (elf.architecture !== architecture)
    throw wrongArchitecture(path, elf.architecture, architecture);
  if (elf.isDynamic)
    throw busyboxMissing(`${path} needs libraries, and an initramfs has none: it must be static`);
  if (!bytes.includes("BusyBox v")) throw busyboxMissing(`${path} is no busybox`);
  // The names of what it can do are in it one after the other. Nothing is run that somebody else has built.
  const lacking = applets.filter((applet) => !bytes.includes(`\0${applet}\0`));
  if (lacking.length > 0)
    throw busyboxMissing(`${path} is built without ${lacking.join(", ")}`, {
      details: { lacking },
    });
  return bytes;
}

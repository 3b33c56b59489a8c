import { SilkError } from "../errors.ts";
import type { Disk } from "./record.ts";

/** A virtio serial is cut at 20 bytes; what does not fit would name another disk. */
export const serialPattern: RegExp = /^[A-Za-z0-9_.-]{1,20}$/;

/** What the name of a data disk looks like. */
export const dataDiskNamePattern: RegExp = /^[a-z][a-z0-9_-]{0,19}$/;

/** Serials that begin so are those of the disks that images know. */
export const reservedSerialPrefix = "cocoon-";

/** The smallest data disk: below it ext4 has no room for a journal. */
export const smallestDataDiskBytes: number = 16 * 1024 * 1024;

const writableRoles: ReadonlySet<Disk["role"]> = new Set(["cow", "data"]);

/**
 * Checks what must hold for the disks of a VM wherever they come from: a spec, a record, a snapshot.
 * @throws SilkError `INVALID_DISK`
 */
export function checkDisks(disks: readonly Disk[]): void {
  const serials = new Set<string>();
  for (const disk of disks) {
    const refuse = (why: string): never => {
      throw new SilkError(`the disk ${disk.path} ${why}`, {
        code: "INVALID_DISK",
        kind: "invalid",
        details: { path: disk.path },
      });
    };
    if (!disk.path.startsWith("/")) refuse("has no absolute path");
    if (disk.readonly === writableRoles.has(disk.role))
      refuse(`has the role "${disk.role}", which is ${disk.readonly ? "writable" : "read-only"}`);
    if (disk.directIo !== undefined && disk.role !== "data")
      refuse(`has the role "${disk.role}", and only data disks have a directIo of their own`);
    if (disk.serial === undefined) continue;
    if (!serialPattern.test(disk.serial))
      refuse(
        `has the serial ${JSON.stringify(disk.serial)}; a serial is 1 to 20 letters, digits, dots, dashes or underscores`,
      );
    if (serials.has(disk.serial))
      refuse(`has the serial "${disk.serial}", which another disk of this VM has`);
    serials.add(disk.serial);
  }
  const cows = disks.filter(({ role }) => role === "cow").length;
  if (cows > 1)
    throw new SilkError(`a VM has one COW disk, not ${cows}`, {
      code: "INVALID_DISK",
      kind: "invalid",
    });
}

import { join } from "node:path";
import type { Host, HostFile } from "@silkvm/core";
import { checkSpace, diskFull } from "./space.ts";

/** Room on a disk that nobody else can take. */
export interface SpaceReservation extends AsyncDisposable {
  /** Gives the room back, to be written to. Idempotent. */
  release(): Promise<void>;
}

const reservedName = ".reserved";
const full: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT"]);
const cannotReserve: ReadonlySet<unknown> = new Set(["ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EINVAL"]);

/**
 * Takes room on the file system of a directory, in a file `.reserved` that is in it until the room is given back; one that was left behind by somebody who died
 * is removed. Where the file system cannot reserve, it is only checked that there is room now.
 * @throws SilkError `DISK_FULL`, which leaves nothing behind
 */
export async function reserveSpace(
  host: Host,
  directory: string,
  sizeBytes: number,
): Promise<SpaceReservation> {
  const path = join(directory, reservedName);
  await host.files.remove(path);
  // Not left to the reservation: a file system may find out that it has no room when it has given all it had.
  await checkSpace(host, directory, sizeBytes, `${sizeBytes} bytes`);
  const release = async (): Promise<void> => {
    await host.files.remove(path);
  };
  if (sizeBytes > 0) {
    try {
      await allocate(await host.files.open(path, "create"), sizeBytes);
    } catch (error) {
      await release();
      const { code } = error as { code?: unknown };
      if (full.has(code)) throw await noRoom(host, directory, sizeBytes, error);
      if (!cannotReserve.has(code)) throw error;
    }
  }
  return { release, [Symbol.asyncDispose]: release };
}

async function allocate(opened: HostFile, sizeBytes: number): Promise<void> {
  await using file = opened;
  await file.allocate(0, sizeBytes);
}

async function noRoom(host: Host, directory: string, neededBytes: number, cause: unknown) {
  const { freeBytes } = await host.files.space(directory);
  return diskFull(
    `no room for ${neededBytes} bytes: ${directory} is on a file system with ${freeBytes} bytes free`,
    { details: { path: directory, freeBytes, neededBytes }, cause },
  );
}

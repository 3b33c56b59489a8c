import { closeSync } from "node:fs";
import { constants, endianness } from "node:os";
import { checked, libc } from "../libc.ts";
import { SystemError } from "../system-error.ts";
import { hasCode } from "./errors.ts";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
/** Room for a path in an address, its ending zero included. */
const pathRoom = 108;

/**
 * Whether a living program has bound the Unix stream socket of this path. It is asked with a socket of the wrong type: the kernel looks for whoever
 * has bound the path, says that the types do not match, and that program never hears of it.
 * @throws SystemError EACCES; ENAMETOOLONG for a path of more than 107 bytes
 */
export async function isListening(path: string): Promise<boolean> {
  const name = Buffer.from(path);
  if (name.length >= pathRoom)
    throw new SystemError(constants.errno.ENAMETOOLONG, `connect '${path}'`);
  const address = Buffer.alloc(2 + pathRoom);
  if (endianness() === "LE") address.writeUInt16LE(AF_UNIX);
  else address.writeUInt16BE(AF_UNIX);
  name.copy(address, 2);
  const socket = checked("socket", () => libc().socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  try {
    checked("connect", () => libc().connect(socket, address, address.length));
    // A datagram socket, which nobody waits for connections on.
    return false;
  } catch (error) {
    if (hasCode(error, "EPROTOTYPE")) return true;
    if (hasCode(error, "ECONNREFUSED") || hasCode(error, "ENOENT") || hasCode(error, "ENOTDIR"))
      return false;
    throw error;
  } finally {
    closeSync(socket);
  }
}

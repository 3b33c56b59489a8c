import { SilkError } from "@silkvm/core";

/** `sun_path` of a Unix socket has room for so many bytes and a NUL. */
const longestSocketPath = 107;

/**
 * Refuses a path that no Unix socket can have: longer than 107 bytes.
 * @throws SilkError `SOCKET_PATH_TOO_LONG`
 */
export function checkSocketPath(path: string): void {
  const length = Buffer.byteLength(path);
  if (length <= longestSocketPath) return;
  throw new SilkError(
    `${path} is ${length} bytes long, and a socket's path has room for ${longestSocketPath}`,
    {
      code: "SOCKET_PATH_TOO_LONG",
      kind: "invalid",
      hint: "Name a directory with a shorter path with --run-dir, or give the VM a shorter id.",
      details: { path, lengthBytes: length, longestBytes: longestSocketPath },
    },
  );
}

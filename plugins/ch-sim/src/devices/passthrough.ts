import { closeSync, constants, existsSync, openSync } from "node:fs";

import type * as types from "../config/types.ts";
import { fromNode, osError, VmmError } from "../errors.ts";
import { settings } from "../settings.ts";
import { deviceErrors } from "./device-error.ts";
import { connectOnce } from "./sockets.ts";

/** Opens a VFIO device. Returns what gives it back. Throws a VmmError. */
export function openVfio(config: types.DeviceConfig): () => void {
  if (settings().vfio) {
    if (config.path !== undefined && !existsSync(config.path))
      throw deviceErrors.vfio(vfioError("failed to read path", "ENOENT"));
    return () => undefined;
  }
  const container = "/dev/vfio/vfio";
  try {
    closeSync(openSync(container, constants.O_RDWR));
  } catch (error) {
    throw deviceErrors.vfio(
      vfioError(
        `failed to open ${container} container`,
        (error as NodeJS.ErrnoException).code ?? "EIO",
      ),
    );
  }
  throw deviceErrors.vfio(vfioError("failed to open group", "ENOENT"));
}

function vfioError(what: string, errno: string): VmmError {
  const source = osError(errno);
  return new VmmError("OpenContainer", `${what}: ${source.message}`, source);
}

/** Connects to a vfio-user server. Returns what gives it back. Throws a VmmError. */
export async function openVfioUser(socket: string): Promise<() => void> {
  try {
    const connection = await connectOnce(socket);
    return () => connection.destroy();
  } catch (error) {
    const source = fromNode(error);
    const connect = new VmmError("Connect", `Error connecting: ${source.message}`, source);
    throw deviceErrors.vfioUserClient(connect);
  }
}

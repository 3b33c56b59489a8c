import type {
  AttachOptions,
  DetachOptions,
  DeviceView,
  Engine,
  EngineCallOptions,
} from "@silkvm/core";
import type { FsData, FsRequest } from "./fs-device.ts";
import { virtiofsKind } from "./fs-kind.ts";
import { findServer } from "./server-processes.ts";
import { socketUse } from "./unix-sockets.ts";

/** A directory that a VM has, or gets again when it is started. */
export interface FsView extends DeviceView<FsData> {
  /**
   * What its virtiofsd does now. `ended`: what the guest asks of the directory is not answered any more. Left out where the VM does not run, and
   * where it cannot be told: the user's own, known to the kernel by another name.
   */
  readonly server?: "serving" | "ended" | undefined;
  /** Processes of silk's own virtiofsd. */
  readonly serverPids?: readonly number[] | undefined;
}

/**
 * Shares a directory of the host with a VM that runs; in the guest: `mount -t virtiofs TAG /mnt`. With `dir` silk starts a virtiofsd, and ends it with the share or the VM.
 * @returns the share's id in the VMM, `silk-fs-<tag>`
 * @throws SilkError `INVALID_TAG`, `INVALID_SHARE`, `MEMORY_NOT_SHARED`, `DIRECTORY_NOT_FOUND`, `INVALID_DIRECTORY`, `SOCKET_NOT_FOUND`, `INVALID_SOCKET`,
 *   `SOCKET_DEAD`, `SOCKET_BUSY`, `SOCKET_PATH_TOO_LONG`, `PERMISSION_DENIED`, `VIRTIOFSD_NOT_FOUND`, `VIRTIOFSD_UNKNOWN`, `VIRTIOFSD_UNSUPPORTED`, `VIRTIOFSD_FAILED`,
 *   and what the engine's `devices.attach` throws
 */
export async function fsAttach(
  engine: Engine,
  ref: string,
  request: FsRequest,
  options: AttachOptions = {},
): Promise<string> {
  return (await engine.devices.attach(ref, virtiofsKind, request, options)).id;
}

/**
 * Takes a shared directory away; the guest must have unmounted it. From a VM that does not run: it does not get it again.
 * @returns the id that it had
 * @throws SilkError `DEVICE_NOT_FOUND`; `DEVICE_NOT_RELEASED` where the guest does not let go: the same call may succeed later
 */
export async function fsDetach(
  engine: Engine,
  ref: string,
  tag: string,
  options: DetachOptions = {},
): Promise<string> {
  return (await engine.devices.detach(ref, virtiofsKind, tag, options)).id;
}

/** The directories that a VM has, or gets again when it is started, and whether they are served. Writes nothing. */
export async function fsList(
  engine: Engine,
  ref: string,
  options: EngineCallOptions = {},
): Promise<readonly FsView[]> {
  const shares = await engine.devices.list(ref, virtiofsKind, options);
  return await Promise.all(
    shares.map(async (share) => {
      if (share.state === "detached") return share;
      return share.data.dir === undefined
        ? await withForeignServer(engine, ref, share, options)
        : await withServer(engine, share);
    }),
  );
}

async function withServer({ host }: Engine, share: DeviceView<FsData>): Promise<FsView> {
  const serverPids = (await findServer(host, share.data.socket)).map(({ pid }) => pid);
  return { ...share, server: serverPids.length > 0 ? "serving" : "ended", serverPids };
}

/** The VMM's connection to it shows under the socket's name, as long as there is somebody at its other end. */
async function withForeignServer(
  engine: Engine,
  ref: string,
  share: DeviceView<FsData>,
  options: EngineCallOptions,
): Promise<FsView> {
  const { runtime } = await engine.inspect(ref, options);
  if (runtime === undefined) return share;
  const { clients } = await socketUse(engine.host, share.data.socket, runtime.vmm.pid);
  if (clients > 0) return { ...share, server: "serving" };
  return share.data.isVisible === true ? { ...share, server: "ended" } : share;
}

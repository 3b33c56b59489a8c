import { type DeviceContext, SilkError, type SilkErrorOptions, type VmRecord } from "@silkvm/core";
import type { ForeignFsData, FsData } from "./fs-device.ts";
import { socketUse } from "./unix-sockets.ts";

/** A Unix socket's path is part of its address, which has room for so much. */
export const longestSocketPath = 107;

/**
 * Checks that a virtiofsd waits behind a socket of the user's, without connecting: it serves one client and ends. A VMM that finds nobody there tries
 * again for a minute, one that finds a virtiofsd with a client waits for ever, and answers nothing meanwhile.
 * @returns whether it can be seen later on that it serves
 * @throws SilkError `INVALID_SOCKET`, `SOCKET_NOT_FOUND`, `SOCKET_DEAD`, `SOCKET_BUSY`, `PERMISSION_DENIED`
 */
export async function checkSocket(
  socket: string,
  {
    vm,
    id,
    context,
  }: { readonly vm: VmRecord; readonly id: string; readonly context: DeviceContext },
): Promise<Pick<ForeignFsData, "isVisible">> {
  const { host } = context;
  const refuse = (why: string, options: Omit<SilkErrorOptions, "details">): SilkError =>
    new SilkError(`${socket} ${why}`, { ...options, details: { socket } });
  const bytes = Buffer.byteLength(socket);
  if (bytes > longestSocketPath)
    throw refuse(`has ${bytes} bytes, and a socket's path has at most ${longestSocketPath}`, {
      code: "INVALID_SOCKET",
      kind: "invalid",
      hint: "Have virtiofsd make its socket in a directory with a shorter path.",
    });
  const denied = (cause?: unknown): SilkError =>
    refuse("cannot be connected to by this user", {
      code: "PERMISSION_DENIED",
      kind: "denied",
      hint: "Run silk and virtiofsd as the same user, or start virtiofsd with --socket-group.",
      cause,
    });
  const stat = await host.files.stat(socket).catch((error: unknown) => {
    throw (error as { code?: unknown }).code === "EACCES" ? denied(error) : error;
  });
  if (stat === undefined)
    throw refuse("is not there", {
      code: "SOCKET_NOT_FOUND",
      kind: "not-found",
      hint: `Start virtiofsd first (virtiofsd --socket-path=${socket} --shared-dir=DIR), or let silk do it: --dir DIR`,
    });
  if (stat.kind !== "socket")
    throw refuse(`is a ${stat.kind}, and not a socket`, {
      code: "INVALID_SOCKET",
      kind: "invalid",
      hint: "Name the socket of a virtiofsd, or share a directory: --dir DIR",
    });
  if (!(await host.files.canAccess(socket, "write"))) throw denied();

  const other = context
    .attached()
    .find(
      ({ vm: owner, attachment }) =>
        (owner.id !== vm.id || attachment.id !== id) &&
        attachment.state !== "detached" &&
        (attachment.data as FsData).socket === socket,
    );
  const busy = (by: string): SilkError =>
    refuse(`serves ${by} already`, {
      code: "SOCKET_BUSY",
      kind: "conflict",
      hint: "A virtiofsd serves one VM: start another one for this VM, or let silk do it: --dir DIR",
    });
  if (other !== undefined) throw busy(`the VM ${other.vm.name}`);
  const use = await socketUse(host, socket);
  if (use.clients > 0) throw busy("another client");
  // One that was bound by another name, or in another network namespace, is not in the table.
  if (await host.isListening(socket)) return { isVisible: use.listening };
  throw refuse("is a dead socket: nobody listens on it", {
    code: "SOCKET_DEAD",
    kind: "unavailable",
    hint: `The virtiofsd that made it has ended. Start it again (virtiofsd --socket-path=${socket} --shared-dir=DIR), or let silk do it: --dir DIR`,
  });
}

import { dirname, join } from "node:path";
import { type HostFacts, SilkError, type VmPaths, type VmRecord } from "@silkvm/core";
import { longestSocketPath } from "./check-socket.ts";

/**
 * The socket of silk's own virtiofsd for a VM.
 * @throws SilkError `SOCKET_PATH_TOO_LONG`
 */
export function serverSocket({ runDir }: VmPaths, tag: string): string {
  const socket = join(runDir, `fs-${tag}.sock`);
  const bytes = Buffer.byteLength(socket);
  if (bytes <= longestSocketPath) return socket;
  throw new SilkError(
    `the socket ${socket} would have ${bytes} bytes, and a socket's path has at most ${longestSocketPath}`,
    {
      code: "SOCKET_PATH_TOO_LONG",
      kind: "invalid",
      hint: "Choose a shorter tag, or have silk make its sockets elsewhere: --run-dir DIR",
      details: { socket },
    },
  );
}

/** What silk's own virtiofsd writes, beside the log of the VM's VMM. */
export function serverLog(
  { logPath }: Pick<VmPaths, "logPath">,
  vm: Pick<VmRecord, "id">,
  tag: string,
): string {
  return join(dirname(logPath), `${vm.id}@fs-${tag}.log`);
}

/** Files in which a virtiofsd keeps its pid: beside its socket or, as QEMU's does, which runs as root only, where root alone looks. */
export function pidFiles(socket: string, { uid }: Pick<HostFacts, "uid">): readonly string[] {
  const beside = `${socket}.pid`;
  const name = `${socket.replaceAll("/", ".")}.pid`;
  return uid === 0 ? [beside, join("/var/run/virtiofsd", name)] : [beside];
}

/** The argument by which a virtiofsd of silk's is told from all other processes: nobody else gives it. */
export function socketArgument(socket: string): string {
  return `--socket-path=${socket}`;
}

import {
  type DeviceContext,
  type Host,
  SilkError,
  type SpawnedProcess,
  type VmRecord,
} from "@silkvm/core";
import type { ServedFsData } from "./fs-device.ts";
import { serverCommand } from "./server-command.ts";
import { serverLog } from "./server-files.ts";
import { lastWords, logEnd, readLog, toldLines } from "./server-log.ts";

/** A virtiofsd is ready within milliseconds; a host that is overloaded takes longer. */
const readyMs = 15_000;
const lookAgainMs = 5;
/** One that listens, and has not said that it is ready, is taken for one that says it in other words. */
const silentMs = 1_000;
/** What both kinds say once they wait for their client; the Rust one has entered its sandbox by then. */
const waiting = /Waiting for vhost-user socket connection/;

/**
 * Starts a virtiofsd for a directory and waits until a VMM can connect to it.
 * @throws SilkError `VIRTIOFSD_FAILED` with the end of its log; what {@link serverCommand} throws
 */
export async function startServer(
  vm: VmRecord,
  data: ServedFsData,
  context: DeviceContext,
): Promise<void> {
  const { host, signal } = context;
  const { command, args } = await serverCommand(data, context);
  const logPath = serverLog(context.paths, vm, data.tag);
  const logOffset = await logEnd(host, logPath);
  context.progress(`starting virtiofsd for ${data.dir}`);
  const server = await host.processes.spawn({ command, args, logPath, env: { RUST_LOG: "info" } });
  const { clock } = host;
  const startedMs = clock.monotonicMs();
  let listensSinceMs: number | undefined;
  for (;;) {
    const nowMs = clock.monotonicMs();
    if (!isRunning(host, server)) throw await failed(host, data, logPath, { logOffset, server });
    if (await host.isListening(data.socket)) {
      listensSinceMs ??= nowMs;
      const isReady = waiting.test(await readLog(host, logPath, logOffset));
      if (isReady || nowMs - listensSinceMs > silentMs) return;
    }
    if (nowMs - startedMs > readyMs) throw await failed(host, data, logPath, { logOffset, server });
    await clock.delay(lookAgainMs, { signal });
  }
}

function isRunning({ processes }: Host, { exit, identity }: SpawnedProcess): boolean {
  return exit === undefined && processes.isAlive(identity);
}

async function failed(
  host: Host,
  { dir, sandbox }: ServedFsData,
  logPath: string,
  { logOffset, server }: { readonly logOffset: number; readonly server: SpawnedProcess },
): Promise<SilkError> {
  const log = toldLines(await readLog(host, logPath, logOffset));
  const said = lastWords(log);
  const what = isRunning(host, server)
    ? `virtiofsd was not ready to serve ${dir} within ${readyMs / 1000} seconds`
    : `virtiofsd ended before it served ${dir}`;
  const isSandbox = /sandbox|namespace|unshare|pivot_root|chroot/i.test(said ?? "");
  return new SilkError(said === undefined ? what : `${what}: ${said}`, {
    code: "VIRTIOFSD_FAILED",
    kind: "failed",
    hint:
      isSandbox && sandbox !== "none"
        ? "Where it may make no namespaces, in a container say, choose another sandbox: --sandbox chroot, or none"
        : `Its log tells more: ${logPath}`,
    details: { dir, logPath, log },
  });
}

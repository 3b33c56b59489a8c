import { apiAddress, serveApi } from "./api-socket.ts";
import type { CommandLine } from "./args/command-line.ts";
import { asI32, Options } from "./args/option-parser.ts";
import { fromNode, VmmError } from "./errors.ts";
import { event, setMonitor } from "./events.ts";
import { log, setUpLog } from "./log.ts";
import type { Service } from "./service.ts";
import { settings } from "./settings.ts";

/** Never settles; the process is ended from elsewhere, if at all. */
const forever = <T>(): Promise<T> => new Promise(() => undefined);

/**
 * Runs the VMM until it is told to end, or fails. Returns the path of its socket, for its removal. Throws what ends the
 * process: a VmmError, or a Panic.
 */
export async function startVmm(line: CommandLine): Promise<string | undefined> {
  const address = apiAddress(line);
  startLog(line);
  log("main", "INFO", "cloud-hypervisor/src/main.rs:631", `${settings().buildVersion} starting`);
  startMonitor(line);
  event("vmm", "starting");

  const ending = Promise.withResolvers<void>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => ending.resolve());

  // The VMM itself is loaded once the socket is there: whoever waits for that need not wait for this.
  const loaded = Promise.withResolvers<Service>();
  const server =
    address === undefined
      ? undefined
      : await serveApi(address, async (request) => (await loaded.promise).handle(request));
  const { bootFromArguments, makeService } = await import("./service.ts");
  const service = makeService(line, ending);
  loaded.resolve(service);
  // Without a socket and a PTY nothing keeps the event loop alive, and a VMM waits for its signals.
  const alive = setInterval(() => undefined, 2 ** 30);
  try {
    await Promise.race([bootFromArguments(line, service), ending.promise]);
    await ending.promise;
  } finally {
    service.vmm.end();
    clearInterval(alive);
    if (service.hangs) await forever();
  }
  await server?.close();
  return address !== undefined && "path" in address ? address.path : undefined;
}

function startLog(line: CommandLine): void {
  try {
    setUpLog({
      file: line.one("log-file"),
      verbose: line.count("v"),
      format: line.one("log-format") ?? "{msg}",
    });
  } catch (error) {
    throw new VmmError("LogFileCreation", "Error creating log file", fromNode(error));
  }
}

function startMonitor(line: CommandLine): void {
  const text = line.one("event-monitor");
  if (text === undefined) return;
  const wrap = (source: VmmError) =>
    new VmmError("ParsingEventMonitor", "Error parsing --event-monitor", source);
  const options = new Options(text, ["path", "fd"], wrap);
  const fd = options.convert("fd", asI32);
  const path = options.get("path");
  if (fd === undefined && path === undefined) {
    throw new VmmError("BareEventMonitor", "Error parsing --event-monitor: path or fd required");
  }
  try {
    setMonitor(fd === undefined ? { path: path ?? "" } : { fd });
  } catch (error) {
    throw new VmmError("EventMonitorIo", "Error doing event monitor I/O", fromNode(error));
  }
}

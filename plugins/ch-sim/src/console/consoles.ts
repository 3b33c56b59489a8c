import { filePort, ttyPort } from "./file-port.ts";
import { nullPort, type Port } from "./port.ts";
import type { ConsoleMode, VmConfig } from "../config/types.ts";
import { fromNode, Panic, VmmError } from "../errors.ts";

/** The consoles of a VM, opened before the VM is. */
export interface Consoles {
  readonly console: Port | undefined;
  readonly serial: Port | undefined;
  readonly debug: Port | undefined;
}

/**
 * Opens the consoles that a config asks for, and writes the path of each pseudo-terminal into it. Throws a VmmError; what was
 * opened before the failure is closed again.
 */
export async function openConsoles(config: VmConfig): Promise<Consoles> {
  const opened: Port[] = [];
  const keep = (port: Port | undefined): Port | undefined => {
    if (port !== undefined) opened.push(port);
    return port;
  };
  try {
    return {
      console: keep(await openOne(config.console, false)),
      serial: keep(await openOne(config.serial, true)),
      debug: keep(await openOne(config.debug_console, false)),
    };
  } catch (error) {
    for (const port of opened) port.close();
    throw error instanceof VmmError || error instanceof Panic
      ? error
      : new VmmError("CreateConsoleDevice", "Error creating console device", fromNode(error));
  }
}

/** Closes what was opened. */
export function closeConsoles(consoles: Consoles): void {
  consoles.console?.close();
  consoles.serial?.close();
  consoles.debug?.close();
}

/** What the real program does about a file or a socket without a path. */
function missing(place: string): never {
  const message = "called `Option::unwrap()` on a `None` value";
  throw new Panic(`vmm/src/console_devices.rs:${place}`, message);
}

async function openOne(
  config: { file?: string; readonly mode: ConsoleMode; readonly socket?: string },
  sockets: boolean,
): Promise<Port | undefined> {
  switch (config.mode) {
    case "Off":
      return undefined;
    case "Null":
      return nullPort();
    case "Tty":
      return ttyPort();
    case "File":
      return filePort(config.file ?? missing("231:78"));
    case "Pty": {
      const { openPtyPort } = await import("./pty-port.ts");
      const port = await openPtyPort();
      config.file = port.path;
      return port;
    }
    case "Socket": {
      if (!sockets) {
        const message = "No socket option support for console device";
        throw new VmmError("NoSocketOptionSupportForConsoleDevice", message);
      }
      const { openSocketPort } = await import("./socket-port.ts");
      return openSocketPort(config.socket ?? missing("259:90"));
    }
    default:
      throw new Error(`There is no console mode ${String(config.mode)}`);
  }
}

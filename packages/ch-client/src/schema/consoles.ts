import type { Filled, PciDeviceCommonConfig } from "./common.ts";

/** Where a console's bytes go. `Tty` is the VMM's own stdin and stdout. `Pty` forks a second process. */
export type ConsoleMode = "Off" | "Pty" | "Tty" | "File" | "Socket" | "Null";

/** The serial port. Default mode `Null`. */
export interface SerialConfig {
  /** Mode `File`: where it is written. In answers with mode `Pty`: the terminal's path. */
  readonly file?: string | undefined;
  /** Mode `Socket`: bound when the VM is created. */
  readonly socket?: string | undefined;
  readonly mode: ConsoleMode;
}

/** The virtio console. Default mode `Tty`. */
export interface ConsoleConfig extends PciDeviceCommonConfig {
  /** Mode `File`: where it is written. In answers with mode `Pty`: the terminal's path. */
  readonly file?: string | undefined;
  readonly socket?: string | undefined;
  readonly mode: ConsoleMode;
}

/** The debug port. Default mode `Off`. */
export interface DebugConsoleConfig {
  readonly file?: string | undefined;
  readonly mode: ConsoleMode;
  /** I/O port, default 0xe9 (233). */
  readonly iobase?: number | undefined;
}

/** {@link ConsoleConfig} as `vm.info` answers it. */
export type ReportedConsoleConfig = Filled<ConsoleConfig, "pci_segment">;

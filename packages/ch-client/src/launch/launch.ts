import type { VmConfig } from "../schema/vm-config.ts";

/** A descriptor that the VMM inherits from whoever starts it. */
export interface InheritedDescriptor {
  readonly fd: number;
}

/** What the VMM's process is told, apart from the VM. */
export interface VmmProcessOptions {
  /** Path of the API socket, or a listening socket. */
  readonly apiSocket?: string | InheritedDescriptor | undefined;
  /** File that events are written to; it is emptied first. */
  readonly eventMonitor?: string | InheritedDescriptor | undefined;
  /** File that the log goes to instead of stderr. */
  readonly logFile?: string | undefined;
  readonly logFormat?: string | undefined;
  /** How much is logged: 0 warnings, 1 (`-v`) what happens, 2 debugging. Default 0. */
  readonly verbosity?: number | undefined;
  /** What happens at a system call that the VMM should not make. On by default. */
  readonly seccomp?: "true" | "false" | "log" | "errno" | undefined;
  /** Keep the process when the guest switches its machine off. */
  readonly noShutdown?: boolean | undefined;
}

/**
 * A VMM and its VM, described once and in the API's own words; for {@link launchArgs} (all on the command line) or for
 * {@link vmmArgs} and {@link toVmConfig} (an empty VMM, then `vm.create` and `vm.boot`).
 */
export interface VmmLaunch extends VmmProcessOptions, VmConfig {}

/** The VM of a description, for `vm.create`. */
export function toVmConfig(launch: VmmLaunch): VmConfig {
  const {
    apiSocket: _1,
    eventMonitor: _2,
    logFile: _3,
    logFormat: _4,
    verbosity: _5,
    seccomp: _6,
    noShutdown: _7,
    ...vm
  } = launch;
  return vm;
}

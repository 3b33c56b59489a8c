import { ChInvalidRequestError } from "../errors.ts";
import type { PayloadConfig } from "../schema/platform.ts";
import type { VmConfig } from "../schema/vm-config.ts";
import { argumentObstacles } from "./argument-obstacles.ts";
import { consoleArg, debugConsoleArg, serialArg } from "./console-arg.ts";
import * as device from "./device-args.ts";
import { diskArg } from "./disk-arg.ts";
import {
  toVmConfig,
  type InheritedDescriptor,
  type VmmLaunch,
  type VmmProcessOptions,
} from "./launch.ts";
import * as machine from "./machine-args.ts";
import { netArg } from "./net-arg.ts";
import { optionString, text } from "./option-string.ts";

/**
 * The command line (without the program) that starts a VMM which creates and boots the VM by itself.
 * @throws ChInvalidRequestError (`arguments`) where the command line has no form for the description: {@link argumentObstacles} says
 * why, and `vm.create` has one.
 */
export function launchArgs(launch: VmmLaunch): string[] {
  const obstacles = argumentObstacles(launch);
  if (obstacles.length > 0) {
    const message = `The command line of the VMM cannot express: ${obstacles.join("; ")}`;
    throw new ChInvalidRequestError(
      { method: "", operation: "" },
      { reason: "arguments", message },
    );
  }
  return [...vmmArgs(launch), ...vmArgs(toVmConfig(launch))];
}

/** The command line (without the program) that starts a VMM without a VM. */
export function vmmArgs(launch: VmmProcessOptions): string[] {
  return [
    ...flag("api-socket", launch.apiSocket, apiSocketArg),
    ...flag("event-monitor", launch.eventMonitor, pathOrDescriptor),
    ...flag("log-file", launch.logFile),
    ...flag("log-format", launch.logFormat),
    ...(launch.verbosity === undefined || launch.verbosity < 1
      ? []
      : [`-${"v".repeat(launch.verbosity)}`]),
    ...flag("seccomp", launch.seccomp),
    ...toggle("no-shutdown", launch.noShutdown),
  ];
}

function vmArgs(vm: VmConfig): string[] {
  return [
    ...flag("cpus", vm.cpus, machine.cpusArg),
    ...flag("memory", vm.memory, machine.memoryArg),
    ...flags("memory-zone", vm.memory?.zones, machine.memoryZoneArg),
    ...payloadArgs(vm.payload),
    ...flag("platform", vm.platform, machine.platformArg),
    ...flags("pci-segment", vm.pci_segments, machine.pciSegmentArg),
    ...flags("numa", vm.numa, machine.numaArg),
    ...flags("rate-limit-group", vm.rate_limit_groups, machine.rateLimitGroupArg),
    ...flags("disk", vm.disks, diskArg),
    ...flags("net", vm.net, netArg),
    ...flag("rng", vm.rng, device.rngArg),
    ...toggle("watchdog", vm.watchdog),
    ...flag("balloon", vm.balloon, device.balloonArg),
    ...flags("fs", vm.fs, device.fsArg),
    ...flags("generic-vhost-user", vm.generic_vhost_user, device.genericVhostUserArg),
    ...flags("pmem", vm.pmem, device.pmemArg),
    ...flags("device", vm.devices, device.deviceArg),
    ...flags("user-device", vm.user_devices, device.userDeviceArg),
    ...flags("vdpa", vm.vdpa, device.vdpaArg),
    ...flag("vsock", vm.vsock, device.vsockArg),
    ...flag("tpm", vm.tpm, device.tpmArg),
    ...flag("rtc", vm.rtc, device.rtcArg),
    ...toggle("pvpanic", vm.pvpanic),
    ...flag("serial", vm.serial, serialArg),
    ...flag("console", vm.console, consoleArg),
    ...flag("debug-console", vm.debug_console, debugConsoleArg),
    ...toggle("landlock", vm.landlock_enable),
    ...flags("landlock-rules", vm.landlock_rules, machine.landlockRuleArg),
  ];
}

function payloadArgs(payload: PayloadConfig = {}): string[] {
  return [
    ...flag("firmware", payload.firmware),
    ...flag("kernel", payload.kernel),
    ...flag("initramfs", payload.initramfs),
    ...flag("cmdline", payload.cmdline),
    ...flag("igvm", payload.igvm),
    ...flag("host-data", payload.host_data),
  ];
}

/** An absolute path stands for itself, whatever is in it. */
function apiSocketArg(target: string | InheritedDescriptor): string {
  return typeof target === "string" && target.startsWith("/") ? target : pathOrDescriptor(target);
}

function pathOrDescriptor(target: string | InheritedDescriptor): string {
  if (typeof target === "object") return `fd=${target.fd}`;
  return optionString([text("path", target)]);
}

function flag(name: string, value: string | undefined): string[];
function flag<T>(name: string, value: T | undefined, write: (value: T) => string): string[];
function flag(name: string, value: unknown, write: (value: never) => string = String): string[] {
  if (value === undefined) return [];
  const written = write(value as never);
  // A value that begins with a dash would be taken for another flag.
  return written.startsWith("-") ? [`--${name}=${written}`] : [`--${name}`, written];
}

function flags<T>(
  name: string,
  values: readonly T[] | undefined,
  write: (value: T) => string,
): string[] {
  return values === undefined || values.length === 0
    ? []
    : [`--${name}`, ...values.map((value) => write(value))];
}

function toggle(name: string, value: boolean | undefined): string[] {
  return value === true ? [`--${name}`] : [];
}

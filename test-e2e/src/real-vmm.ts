import { execFileSync } from "node:child_process";
import { accessSync, closeSync, constants, openSync, readSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

export { nestedStateShim } from "./guest.ts";

/** What there is of a real Cloud Hypervisor on this host. */
export interface RealVmm {
  /** The program: that of SILK_CH_BINARY, or else the one on PATH. */
  readonly chPath?: string;
  /** Its command line client, where it lies beside the program or on PATH. */
  readonly chRemotePath?: string;
  /** Its version, such as `53.0`. */
  readonly version?: string;
  /** Whether /dev/kvm opens for reading and writing. */
  readonly kvm: boolean;
  /** Why VMs cannot be run by it here. Not there when they can. */
  readonly reason?: string;
}

/** Looks for a real Cloud Hypervisor and for KVM. A stand-in that answers like one (ch-sim) does not count. */
export function findRealVmm(): RealVmm {
  const kvm = opensKvm();
  const chosen = process.env["SILK_CH_BINARY"];
  const chPath = chosen ? onPath(chosen) : onPath("cloud-hypervisor");
  if (chPath === undefined)
    return { kvm, reason: `${chosen ?? "cloud-hypervisor"} is not there, or not executable` };
  if (!isMachineCode(chPath))
    return { kvm, reason: `${chPath} is not Cloud Hypervisor itself, but a script` };
  const version = versionOf(chPath);
  if (version === undefined)
    return { kvm, reason: `${chPath} does not tell its version as Cloud Hypervisor does` };
  const chRemotePath = onPath(join(dirname(chPath), "ch-remote")) ?? onPath("ch-remote");
  const found = { chPath, version, kvm, ...(chRemotePath !== undefined && { chRemotePath }) };
  return kvm ? found : { ...found, reason: "/dev/kvm does not open" };
}

function onPath(program: string): string | undefined {
  const dirs = program.includes("/") ? [""] : (process.env["PATH"] ?? "").split(delimiter);
  return dirs
    .map((dir) => join(dir, program))
    .find((path) => succeeds(() => accessSync(path, constants.X_OK)));
}

/** Cloud Hypervisor is an ELF program; whatever is run by an interpreter stands in for it. */
function isMachineCode(path: string): boolean {
  const start = Buffer.alloc(4);
  const file = openSync(realpathSync(path), "r");
  try {
    readSync(file, start, 0, 4, 0);
  } finally {
    closeSync(file);
  }
  return start.equals(Buffer.from("\x7fELF", "latin1"));
}

function versionOf(path: string): string | undefined {
  try {
    const answer = execFileSync(path, ["--version"], {
      encoding: "utf8",
      timeout: 10_000,
      stdio: "pipe",
    });
    return /^cloud-hypervisor v(\S+)/.exec(answer)?.[1];
  } catch {
    return undefined;
  }
}

function opensKvm(): boolean {
  return succeeds(() => closeSync(openSync("/dev/kvm", constants.O_RDWR)));
}

function succeeds(act: () => void): boolean {
  try {
    act();
    return true;
  } catch {
    return false;
  }
}

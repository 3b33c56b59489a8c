import { execFileSync } from "node:child_process";
import type { EngineConfig, VmSpec } from "@silkvm/core";
import { buildGuest } from "./guest.ts";
import type { Target } from "./targets.ts";

/** The program: that of SILK_QEMU_BINARY, or else the one on PATH. */
const qemuBinary = process.env["SILK_QEMU_BINARY"] ?? "qemu-system-x86_64";

/** Why VMs of the backend qemu cannot be run here; undefined where they can. */
export const qemuMissing: string | undefined = findQemu();

/** QEMU runs anywhere by translation (TCG), and so it does in these tests: also where KVM is, or seems to be. */
export const qemuSettings = {
  backend: "qemu",
  qemuBinary,
  qemuAccel: "tcg",
  // Two cores translate for several guests at once.
  startTimeoutMs: 60_000,
} as const satisfies Partial<EngineConfig>;

/** The smallest VM that boots on it, with a COW disk: the guest of `../guest`. */
export async function qemuSpec(): Promise<VmSpec & { readonly boot: { readonly kernel: string } }> {
  const { kernelPath } = await buildGuest({});
  return {
    cpus: 1,
    memoryBytes: 64 * 1024 ** 2,
    storageBytes: 16 * 1024 ** 2,
    boot: { kernel: kernelPath },
  };
}

/** For the suites that run on every VMM, and a part of each on QEMU. */
export const qemuTarget: Target = {
  name: "qemu",
  missing: qemuMissing,
  chBinary: () => "cloud-hypervisor",
  settings: qemuSettings,
  spec: qemuSpec,
  consoleEcho: { send: "echo are-you-there", expect: "are-you-there" },
};

function findQemu(): string | undefined {
  try {
    execFileSync(qemuBinary, ["--version"], { stdio: "pipe" });
    return undefined;
  } catch {
    return `${qemuBinary} is not there, or does not run`;
  }
}

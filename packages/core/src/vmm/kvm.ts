import { SilkError } from "../errors.ts";
import type { Host } from "../host.ts";

const kvmPath = "/dev/kvm";

/** Why this user cannot run VMs on KVM here; undefined where nothing speaks against it. */
export async function kvmProblem(
  host: Host,
  details: Readonly<Record<string, unknown>> = {},
): Promise<SilkError | undefined> {
  const stat = await host.files.stat(kvmPath);
  if (stat === undefined || stat.kind !== "character-device") return kvmUnavailable(details);
  const usable =
    (await host.files.canAccess(kvmPath, "read")) && (await host.files.canAccess(kvmPath, "write"));
  return usable ? undefined : kvmDenied(details);
}

/** The error for a host without KVM. */
export function kvmUnavailable(details: Readonly<Record<string, unknown>>): SilkError {
  return new SilkError(`this host has no KVM: ${kvmPath} is missing or does not work`, {
    code: "KVM_UNAVAILABLE",
    kind: "unavailable",
    hint: "Load the module (`modprobe kvm_intel` or `modprobe kvm_amd`) and switch virtualization on in the firmware; a VM needs nested virtualization for it.",
    details: { path: kvmPath, ...details },
  });
}

/** The error for a user who may not open KVM. */
export function kvmDenied(details: Readonly<Record<string, unknown>>): SilkError {
  return new SilkError(`no permission to use ${kvmPath}`, {
    code: "KVM_DENIED",
    kind: "denied",
    hint: "Join its group and log in again: `sudo usermod -aG kvm $USER`; or run as root.",
    details: { path: kvmPath, ...details },
  });
}

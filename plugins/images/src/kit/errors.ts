import { SilkError, type SilkErrorOptions } from "@silkvm/core";

type More = Pick<SilkErrorOptions, "details" | "cause">;

const installHint =
  "Install one (`apt install linux-image-cloud-amd64`), or give silk one: silk image import-kernel VMLINUZ --modules DIR";

export function kernelMissing(message: string, more: More = {}): SilkError {
  return new SilkError(message, {
    code: "KERNEL_MISSING",
    kind: "unavailable",
    hint: installHint,
    ...more,
  });
}

export function kernelUnreadable(path: string, more: More = {}): SilkError {
  return new SilkError(`the kernel ${path} cannot be read by this user`, {
    code: "KERNEL_UNREADABLE",
    kind: "denied",
    hint: `Let it be read (\`sudo chmod a+r ${path}\`), or import it once as root: silk image import-kernel ${path}`,
    ...more,
  });
}

/** @param lacking such as `erofs` */
export function kernelLacks(what: string, lacking: readonly string[]): SilkError {
  return new SilkError(`${what} cannot boot a container image: it lacks ${lacking.join(", ")}`, {
    code: "KERNEL_LACKS",
    kind: "unsupported",
    hint: `Give silk its modules (silk image import-kernel VMLINUZ --modules DIR), or take a kernel that has them, such as Debian's linux-image-cloud-amd64.`,
    details: { lacking },
  });
}

export function wrongArchitecture(what: string, is: string, wanted: string): SilkError {
  return new SilkError(`${what} is for ${is}, and this machine is ${wanted}`, {
    code: "ARCHITECTURE_MISSING",
    kind: "unsupported",
    hint: `Take one for ${wanted}.`,
    details: { wanted, is },
  });
}

export function modulesInvalid(message: string, more: More & { hint?: string } = {}): SilkError {
  return new SilkError(message, {
    code: "MODULES_INVALID",
    kind: "invalid",
    hint: "Give it the directory /lib/modules/VERSION of that kernel, a tar of it, or the .deb that it is in.",
    ...more,
  });
}

export function busyboxMissing(message: string, more: More = {}): SilkError {
  return new SilkError(message, {
    code: "BUSYBOX_MISSING",
    kind: "unavailable",
    hint: "Install it: `apt install busybox-static` on Debian and Ubuntu. Or bring one along: silk image import-kernel … --busybox FILE",
    ...more,
  });
}

export function kernelNotFound(name: string, known: readonly string[]): SilkError {
  return new SilkError(`there is no kernel ${JSON.stringify(name)}`, {
    code: "KERNEL_NOT_FOUND",
    kind: "not-found",
    hint: `Name one that there is: ${known.join(", ") || "none was imported"}.`,
    details: { name, known },
  });
}

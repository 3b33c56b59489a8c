import { SilkError } from "@silkvm/core";
import type { Machine } from "./machine.ts";

/**
 * The absolute path of the VMM program.
 * @throws SilkError `VMM_NOT_FOUND`
 */
export async function vmmProgram({
  host,
  settings,
}: Pick<Machine, "host" | "settings">): Promise<string> {
  const { qemuBinary } = settings;
  const path = await host.processes.which(qemuBinary);
  if (path !== undefined) return path;
  const isThere = qemuBinary.includes("/") && (await host.files.stat(qemuBinary)) !== undefined;
  throw vmmNotFound(qemuBinary, isThere ? { reason: `${qemuBinary} is not executable` } : {});
}

/** The error for a VMM that is not there, or cannot be run. */
export function vmmNotFound(
  command: string,
  { reason, cause }: { readonly reason?: string; readonly cause?: unknown } = {},
): SilkError {
  const missing = command.includes("/")
    ? `there is no program ${command}`
    : `the program ${command} is not on PATH`;
  return new SilkError(reason ?? missing, {
    code: "VMM_NOT_FOUND",
    kind: "unavailable",
    hint: "Install QEMU (the package qemu-system-x86, or qemu-system-x86-core), or name the program with SILK_QEMU_BINARY.",
    details: { command },
    cause,
  });
}

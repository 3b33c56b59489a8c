import { SilkError } from "@silkvm/core";
import type { Machine } from "./machine.ts";

/**
 * The absolute path of the VMM program.
 * @throws SilkError `VMM_NOT_FOUND`
 */
export async function vmmProgram({ host, settings }: Machine): Promise<string> {
  const { chBinary } = settings;
  const path = await host.processes.which(chBinary);
  if (path !== undefined) return path;
  const isThere = chBinary.includes("/") && (await host.files.stat(chBinary)) !== undefined;
  throw vmmNotFound(chBinary, isThere ? { reason: `${chBinary} is not executable` } : {});
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
    hint: "Install cloud-hypervisor (https://github.com/cloud-hypervisor/cloud-hypervisor/releases), or name the program with SILK_CH_BINARY.",
    details: { command },
    cause,
  });
}

import { type CallOptions, kvmProblem, SilkError, type VmmProbe } from "@silkvm/core";
import type { Machine } from "./machine.ts";
import { checkVersion } from "./version.ts";
import { vmmProgram } from "./vmm-program.ts";

/** What programs said of their version, by path, size and time: they do not change under one process often. */
const versions = new Map<string, string>();

/**
 * Finds the VMM and its version; every version that silk takes can do all that the backend does. KVM is only a note here: whether a VMM needs it, only a launch can tell.
 * @throws SilkError `VMM_NOT_FOUND`, `VMM_UNUSABLE`, `VMM_TOO_OLD`
 */
export async function probe(
  machine: Machine,
  capabilities: readonly string[],
  options: CallOptions = {},
): Promise<VmmProbe> {
  const path = await vmmProgram(machine);
  const version = await vmmVersion(machine, options);
  const problem = await kvmProblem(machine.host);
  return {
    path,
    version,
    capabilities,
    notes: problem === undefined ? [] : [`${problem.message} (${problem.code})`],
  };
}

/**
 * The version of the VMM that a VM would be started with.
 * @throws SilkError as {@link probe}
 */
export async function vmmVersion(machine: Machine, options: CallOptions = {}): Promise<string> {
  const path = await vmmProgram(machine);
  const version = await versionOf(machine, path, options);
  checkVersion(version, path);
  return version;
}

async function versionOf({ host }: Machine, path: string, options: CallOptions): Promise<string> {
  const stat = await host.files.stat(path);
  const key = `${path}:${stat?.sizeBytes}:${stat?.modifiedMs}`;
  const known = versions.get(key);
  if (known !== undefined) return known;
  const unusable = (why: string, cause?: unknown): SilkError =>
    new SilkError(`${path} --version: ${why}`, {
      code: "VMM_UNUSABLE",
      kind: "unavailable",
      hint: "Name a working cloud-hypervisor with SILK_CH_BINARY.",
      details: { path },
      cause,
    });
  const request = { command: path, args: ["--version"], timeoutMs: 10_000, ...options };
  const result = await host.processes.run(request).catch((error: unknown) => {
    options.signal?.throwIfAborted();
    throw unusable((error as Error).message, error);
  });
  if (result.exitCode !== 0) throw unusable(result.stderr.trim() || `exit code ${result.exitCode}`);
  const version = result.stdout
    .split("\n")[0]
    ?.replace(/^\S*cloud-hypervisor\s+/, "")
    .trim();
  if (version === undefined || version === "") throw unusable("it printed nothing");
  versions.set(key, version);
  return version;
}

import { type CallOptions, SilkError } from "@silkvm/core";
import type { Machine } from "./machine.ts";
import type { QmpVersion } from "./qmp/messages.ts";
import { checkVersion, parseVersion } from "./version.ts";

/** What programs said, by path, size, time and question: they do not change under one process often. */
const answers = new Map<string, string>();

/**
 * The version of a QEMU program.
 * @throws SilkError `VMM_UNUSABLE`, `VMM_TOO_OLD`
 */
export async function programVersion(
  machine: Pick<Machine, "host">,
  path: string,
  options: CallOptions,
): Promise<QmpVersion> {
  const text = await ask(machine, path, ["--version"], options);
  const version = parseVersion(text);
  if (version === undefined)
    throw unusable(`${path} is no QEMU: asked for its version it says ${firstWords(text)}`, path);
  checkVersion(version, path);
  return version;
}

/**
 * The types of machines that a QEMU program knows, by all of their names.
 * @throws SilkError `VMM_UNUSABLE`
 */
export async function knownMachines(
  machine: Pick<Machine, "host">,
  path: string,
  options: CallOptions,
): Promise<readonly string[]> {
  const text = await ask(machine, path, ["-machine", "help"], options);
  return text
    .split("\n")
    .slice(1)
    .flatMap((line) => line.split(/\s/, 1))
    .filter((name) => name !== "");
}

async function ask(
  { host }: Pick<Machine, "host">,
  path: string,
  args: readonly string[],
  options: CallOptions,
): Promise<string> {
  const stat = await host.files.stat(path);
  const key = [path, stat?.sizeBytes, stat?.modifiedMs, ...args].join("\0");
  const known = answers.get(key);
  if (known !== undefined) return known;
  const request = { command: path, args, timeoutMs: 10_000, ...options };
  const result = await host.processes.run(request).catch((error: unknown) => {
    options.signal?.throwIfAborted();
    throw unusable(`${path} does not run: ${(error as Error).message}`, path, error);
  });
  if (result.exitCode !== 0)
    throw unusable(
      `${path} does not run: ${result.stderr.trim() || `exit code ${result.exitCode}`}`,
      path,
    );
  answers.set(key, result.stdout);
  return result.stdout;
}

/** The beginning of what may be anything. */
function firstWords(text: string): string {
  const [line = ""] = text.trim().split("\n", 1);
  return line === "" ? "nothing" : JSON.stringify(line.slice(0, 60));
}

function unusable(message: string, path: string, cause?: unknown): SilkError {
  return new SilkError(message, {
    code: "VMM_UNUSABLE",
    kind: "unavailable",
    hint: "Name a working qemu-system-x86_64 with SILK_QEMU_BINARY.",
    details: { path },
    cause,
  });
}

import { type Host, SilkError, type ToolResult } from "@silkvm/core";
import { installable, pluginInvalid } from "./plugin-invalid.ts";

/** Far more than any plugin takes on a slow line. */
const npmTimeoutMs = 10 * 60_000;

const quiet = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"];

/**
 * Runs npm.
 * @throws SilkError `NPM_NOT_FOUND`, `PLUGIN_NOT_FOUND`, `REGISTRY_UNAVAILABLE`, `PLUGIN_INSTALL_FAILED`
 */
export async function runNpm(
  host: Pick<Host, "processes">,
  args: readonly string[],
  what: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  const npm = await host.processes.which("npm");
  if (npm === undefined)
    throw new SilkError("npm is not on PATH, and plugins are installed with it", {
      code: "NPM_NOT_FOUND",
      kind: "unavailable",
      hint: "Install npm, which comes with Node, or unpack the plugin yourself and link it: silk plugins link DIR",
    });
  const result = await host.processes.run({
    command: npm,
    args: [...quiet, ...args],
    timeoutMs: npmTimeoutMs,
    signal,
  });
  if (result.exitCode !== 0) throw npmFailure(what, result);
  return result.stdout;
}

const missing: ReadonlySet<string> = new Set(["E404", "ETARGET", "ENOVERSIONS", "ENOENT"]);
/** What it says of a tarball that is none, or that ends too soon. */
const damaged: ReadonlySet<string> = new Set([
  "TAR_BAD_ARCHIVE",
  "TAR_ENTRY_INVALID",
  "Z_BUF_ERROR",
  "Z_DATA_ERROR",
  "ENODATA",
]);
const misspelt: ReadonlySet<string> = new Set(["EINVALIDTAGNAME", "EINVALIDPACKAGENAME"]);
const unreachable: ReadonlySet<string> = new Set([
  "ENOTFOUND",
  "EAI_AGAIN",
  "ECONNREFUSED",
  "ECONNRESET",
  "ETIMEDOUT",
  "ENETUNREACH",
  "ERR_SOCKET_TIMEOUT",
]);

/** What npm says on stderr, in one line and with what can be done. */
function npmFailure(what: string, { exitCode, stderr }: ToolResult): SilkError {
  const lines = stderr
    .split("\n")
    .flatMap((line) => /^npm (?:error|ERR!) ?(.*)$/.exec(line)?.[1] ?? [])
    .filter((line) => line !== "");
  const code = lines.flatMap((line) => /^code (\S+)$/.exec(line)?.[1] ?? [])[0] ?? "";
  const told = lines.filter(
    (line) => !/^(code|syscall|errno|path|A complete log|This is related)\b/.test(line),
  );
  const why = (told[0] ?? stderr.trim().split("\n").at(-1) ?? "").replace(/^(404|notarget) /, "");
  const message = `${what} cannot be installed: ${why || `npm ended with ${exitCode}`}`;
  const details = { npm: { exitCode, code, stderr: stderr.slice(-4_000) } };
  if (missing.has(code))
    return new SilkError(message, {
      code: "PLUGIN_NOT_FOUND",
      kind: "not-found",
      hint: installable,
      details,
    });
  if (damaged.has(code))
    return pluginInvalid(message, {
      hint: "It is no whole tarball of a package: pack it with `npm pack`, or fetch it again.",
      details,
    });
  if (misspelt.has(code)) return pluginInvalid(message, { hint: installable, details });
  if (unreachable.has(code))
    return new SilkError(message, {
      code: "REGISTRY_UNAVAILABLE",
      kind: "unavailable",
      hint: "See whether this host reaches the registry (npm ping), or install from a file: silk plugins install ./plugin.tgz",
      details,
    });
  return new SilkError(message, {
    code: "PLUGIN_INSTALL_FAILED",
    kind: "failed",
    hint: "What npm said in full is in the details: run the command with --json.",
    details,
  });
}

import { renderError } from "./failure/error-view.ts";
import { toFailure } from "./failure/failure.ts";
import { hasColor } from "./output/color.ts";
import { toJson } from "./output/to-json.ts";

/** A command that threw an error. */
interface Thrower {
  /** For the hint. */
  readonly id: string | undefined;
  /** Of all that it fails at but an abort. Default: that of the kind of failure. */
  readonly exitCode?: number | undefined;
}

/** Which command threw an error: kept beside the error, which may be frozen or of another's class. */
const throwers = new WeakMap<object, Thrower>();

/** Remembers the command that an error came from. */
export function rememberCommand(thrown: unknown, command: Thrower): void {
  if (typeof thrown === "object" && thrown !== null) throwers.set(thrown, command);
}

/**
 * Tells of whatever a command has thrown: as JSON on stdout for programs, in words on stderr for people.
 * @returns the exit code
 */
export function reportFailure(thrown: unknown, argv: readonly string[]): number {
  const command = typeof thrown === "object" && thrown !== null ? throwers.get(thrown) : undefined;
  const { exitCode, error, stack } = toFailure(thrown, command?.id);
  if (error === undefined) return exitCode;
  if (wantsJson(argv)) process.stdout.write(toJson({ error }, process.stdout.isTTY));
  else
    process.stderr.write(
      renderError(error, {
        color: hasColor(process.stderr),
        stack: isDebugging(argv) ? stack : undefined,
      }),
    );
  return error.kind === "aborted" ? exitCode : (command?.exitCode ?? exitCode);
}

/** Whether a command line asks for JSON: also one that is too wrong to be parsed. */
function wantsJson(argv: readonly string[]): boolean {
  return beforeDashes(argv).includes("--json");
}

/** Whether a command line, or the environment, asks for what only people who debug want to see. */
export function isDebugging(argv: readonly string[]): boolean {
  const flags = beforeDashes(argv);
  const at = flags.lastIndexOf("--log-level");
  const level =
    at === -1
      ? flags.findLast((flag) => flag.startsWith("--log-level="))?.slice("--log-level=".length)
      : flags[at + 1];
  return (level ?? process.env["SILK_LOG_LEVEL"]) === "debug";
}

function beforeDashes(argv: readonly string[]): readonly string[] {
  const dashes = argv.indexOf("--");
  return dashes === -1 ? argv : argv.slice(0, dashes);
}

import type { Config } from "@oclif/core/config";
import type { ChangeOptions, Engine, EngineCallOptions, Host } from "@silkvm/core";
import { usageError } from "./cli-error.ts";
import { Deadline } from "./deadline.ts";
import type { GlobalFlags } from "./flags/global.ts";
import { interruptSignal } from "./interrupt.ts";
import { stderrLogger } from "./output/logger.ts";
import { Progress } from "./output/progress.ts";
import { say } from "./output/stderr.ts";
import { loadPlugins } from "./plugins/load-plugins.ts";
import { loadSettings } from "./settings.ts";

/** An engine with what a command needs around it. Dispose of it before printing the result: the progress line goes with it. */
export interface OpenEngine extends AsyncDisposable {
  readonly engine: Engine;
  /** The machine that the engine works on. */
  readonly host: Host;
  readonly deadline: Deadline;
  readonly progress: Progress;
  /** For a call that changes nothing. */
  call(): EngineCallOptions;
  /** For a call that changes something, with what is done in words for a person who waits: `starting web`. */
  change(doing: string): ChangeOptions;
  /** Says on stderr what is worth knowing though nothing is wrong: not to programs, and not where only failures are to be told. */
  note(text: string): void;
}

/** Opens the engine that the flags, the environment and the configuration describe. Everything heavy is loaded here and not before. */
export async function openEngine(
  flags: GlobalFlags,
  oclif: Config,
  {
    timeoutIsDeadline = true,
    runsProgram = false,
  }: {
    readonly timeoutIsDeadline?: boolean;
    /** Whether stderr is that of a program in a VM: where nobody looks on, what is under way is not told there. Default false. */
    readonly runsProgram?: boolean;
  } = {},
): Promise<OpenEngine> {
  const timeoutMs = timeoutIsDeadline ? flags.timeout : undefined;
  if (timeoutMs === 0) throw usageError("--timeout: 0 leaves no time to do anything");
  const signal = interruptSignal();
  const [{ createEngine }, { linuxHost }] = await Promise.all([
    import("@silkvm/core"),
    import("@silkvm/sys"),
  ]);
  const host = linuxHost();
  const { config } = await loadSettings(flags, host);
  const plugins = await loadPlugins(oclif, config);
  const logger = stderrLogger(config.logLevel);
  const engine = await createEngine({ host, plugins, config, logger });
  const onTerminal = process.stderr.isTTY;
  const progress = new Progress({
    onTerminal,
    silent: config.logLevel === "silent" || ((flags.json || runsProgram) && !onTerminal),
  });
  const deadline = new Deadline(timeoutMs);
  const isQuiet = flags.json || ["error", "silent"].includes(config.logLevel);
  // What holds for many VMs is told once.
  const warned = new Set<string>();
  const onWarning = (message: string): void => {
    if (warned.has(message)) return;
    warned.add(message);
    logger.warn(message);
  };
  const call = (): EngineCallOptions => ({ signal, timeoutMs: deadline.remainingMs() });
  return {
    engine,
    host,
    deadline,
    progress,
    call,
    note: (text) => {
      if (!isQuiet) say(text);
    },
    change: (doing) => {
      progress.tell(doing);
      return {
        ...call(),
        wait: !flags["no-wait"],
        onProgress: progress.tell,
        onWarning,
      };
    },
    [Symbol.asyncDispose]: async () => {
      progress[Symbol.dispose]();
      await engine[Symbol.asyncDispose]();
    },
  };
}

import type { Config } from "@oclif/core/config";
import { Deadline } from "../deadline.ts";
import type { GlobalFlags } from "../flags/global.ts";
import { interruptSignal } from "../interrupt.ts";
import { Progress } from "../output/progress.ts";
import { loadSettings } from "../settings.ts";
import type { PluginChange } from "./install.ts";

/** A change of the plugins, with a line that tells a person who waits what is being done. */
export interface OpenChange extends PluginChange, Disposable {
  readonly tell: (doing: string) => void;
}

/** Opens what a command needs that changes the plugins. Dispose of it before printing the result: the progress line goes with it. */
export async function openChange(flags: GlobalFlags, oclif: Config): Promise<OpenChange> {
  const { linuxHost } = await import("@silkvm/sys");
  const host = linuxHost();
  const { config } = await loadSettings(flags, host);
  const remainingMs = new Deadline(flags.timeout).remainingMs();
  const interrupt = interruptSignal();
  const onTerminal = process.stderr.isTTY;
  const progress = new Progress({
    onTerminal,
    silent: config.logLevel === "silent" || (flags.json && !onTerminal),
  });
  return {
    host,
    oclif,
    timeoutMs: config.hookTimeoutMs,
    signal:
      remainingMs === undefined
        ? interrupt
        : AbortSignal.any([interrupt, AbortSignal.timeout(remainingMs)]),
    wait: !flags["no-wait"],
    tell: progress.tell,
    [Symbol.dispose]: () => progress[Symbol.dispose](),
  };
}

import { isSilkError, SilkError } from "../errors.ts";
import type { HookContexts, HookName, HookTools, Veto } from "../plugin/hooks.ts";
import type { PluginDefinition } from "../plugin/plugin.ts";

type AnyHook = (
  context: HookContexts[HookName],
  tools: HookTools,
) => Promise<Veto | undefined | void> | Veto | undefined | void;

/** Runs the plugins' hooks, in the order of the plugins, each within its time. */
export class HookRunner {
  readonly #plugins: readonly PluginDefinition[];
  readonly #timeoutMs: number;

  constructor(plugins: readonly PluginDefinition[], timeoutMs: number) {
    this.#plugins = plugins.filter(({ hooks }) => hooks !== undefined);
    this.#timeoutMs = timeoutMs;
  }

  /** @throws SilkError `VETOED` with the hook's reason; `HOOK_FAILED` where one threw or took too long */
  async before<N extends HookName & `${string}before-${string}`>(
    name: N,
    context: HookContexts[N],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    for (const [plugin, hook] of this.#hooks(name)) {
      const answer = await this.#run(plugin, name, hook, context, signal);
      if (answer?.veto === undefined) continue;
      throw new SilkError(`the plugin ${plugin} does not allow this: ${answer.veto}`, {
        code: "VETOED",
        kind: "conflict",
        details: { plugin, hook: name, reason: answer.veto },
      });
    }
  }

  /** Failures are given to `warn`: what has been done stays done. */
  async after<N extends HookName & `${string}after-${string}`>(
    name: N,
    context: HookContexts[N],
    warn: (message: string) => void,
  ): Promise<void> {
    for (const [plugin, hook] of this.#hooks(name)) {
      try {
        await this.#run(plugin, name, hook, context, undefined);
      } catch (error) {
        warn((error as Error).message);
      }
    }
  }

  *#hooks(name: HookName): Iterable<readonly [string, AnyHook]> {
    for (const { name: plugin, hooks } of this.#plugins) {
      const hook = hooks?.[name];
      if (hook !== undefined) yield [plugin, hook as AnyHook];
    }
  }

  async #run(
    plugin: string,
    name: HookName,
    hook: AnyHook,
    context: HookContexts[HookName],
    signal: AbortSignal | undefined,
  ): Promise<Veto | undefined> {
    const deadline = AbortSignal.timeout(this.#timeoutMs);
    const either = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
    try {
      const answer = await Promise.race([
        Promise.resolve(hook(context, { signal: either })),
        rejectOnAbort(either),
      ]);
      return answer ?? undefined;
    } catch (error) {
      if (signal?.aborted === true) throw error;
      const why = deadline.aborted
        ? `took longer than ${this.#timeoutMs} ms`
        : `failed: ${(error as Error).message}`;
      throw new SilkError(`the hook ${name} of the plugin ${plugin} ${why}`, {
        code: "HOOK_FAILED",
        kind: isSilkError(error) ? error.kind : "failed",
        details: { plugin, hook: name },
        cause: error,
      });
    }
  }
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    else signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}

import { isSilkError, SilkError } from "../errors.ts";
import type {
  AddedLabels,
  HookContexts,
  HookName,
  HookTools,
  Operation,
  Veto,
} from "../plugin/hooks.ts";
import type { PluginDefinition } from "../plugin/plugin.ts";
import { checkLabels } from "../vm/labels.ts";
import { within } from "../within.ts";
import type { OperationObserver } from "./observer.ts";

type Answer = Partial<Veto & AddedLabels> | undefined | void;
type AnyHook = (context: HookContexts[HookName], tools: HookTools) => Promise<Answer> | Answer;

/** Of a hook that is called outside of any: none is. */
const noOperation: Operation = { id: "", verb: "gc" };

type BeforeHookName = HookName & `${string}before-${string}`;
type LabellingHookName = "vm:before-create" | "vm:before-clone";

/** Runs the plugins' hooks, in the order of the plugins, each within its time. */
export class HookRunner {
  readonly #plugins: readonly PluginDefinition[];
  readonly #timeoutMs: number;
  readonly #observer: OperationObserver | undefined;

  /** @param observer knows the operation that is under way */
  constructor(
    plugins: readonly PluginDefinition[],
    timeoutMs: number,
    observer?: OperationObserver,
  ) {
    this.#plugins = plugins.filter(({ hooks }) => hooks !== undefined);
    this.#timeoutMs = timeoutMs;
    this.#observer = observer;
  }

  /** @throws SilkError `VETOED` with the hook's reason; `HOOK_FAILED` where one threw or took too long */
  async before<N extends Exclude<BeforeHookName, LabellingHookName>>(
    name: N,
    context: HookContexts[N],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    for (const [plugin, hook] of this.#hooks(name))
      await this.#ask(plugin, name, hook, context, signal);
  }

  /**
   * Runs hooks that may also add labels. Each sees what those before it have added.
   * @param contextOf the context of a hook, with the labels as they are by then
   * @returns all labels
   * @throws SilkError what {@link HookRunner.before} throws, and `HOOK_FAILED` for labels that are none
   */
  async beforeLabelled<N extends LabellingHookName>(
    name: N,
    labels: Readonly<Record<string, string>>,
    contextOf: (labels: Readonly<Record<string, string>>) => HookContexts[N],
    signal: AbortSignal | undefined,
  ): Promise<Readonly<Record<string, string>>> {
    let known = labels;
    for (const [plugin, hook] of this.#hooks(name)) {
      const answer = await this.#ask(plugin, name, hook, contextOf(known), signal);
      if (answer?.labels === undefined) continue;
      try {
        known = { ...known, ...checkLabels(answer.labels) };
      } catch (error) {
        throw failed(
          plugin,
          name,
          `answers what are no labels: ${(error as Error).message}`,
          error,
        );
      }
    }
    return known;
  }

  /** Failures are given to `warn`: what has been done stays done. */
  async after<N extends Exclude<HookName, BeforeHookName>>(
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

  async #ask(
    plugin: string,
    name: HookName,
    hook: AnyHook,
    context: HookContexts[HookName],
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    const answer = await this.#run(plugin, name, hook, context, signal);
    if (answer?.veto === undefined) return answer;
    throw new SilkError(`the plugin ${plugin} does not allow this: ${answer.veto}`, {
      code: "VETOED",
      kind: "conflict",
      details: { plugin, hook: name, reason: answer.veto },
    });
  }

  async #run(
    plugin: string,
    name: HookName,
    hook: AnyHook,
    context: HookContexts[HookName],
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    // Also told to the hook, so that it can let go of what it waits for.
    const abandoned = new AbortController();
    const tools: HookTools = {
      signal: signal === undefined ? abandoned.signal : AbortSignal.any([signal, abandoned.signal]),
      operation: this.#observer?.operation ?? noOperation,
    };
    const tooLong = (): Error => new Error(`took longer than ${this.#timeoutMs} ms`);
    let late: Error | undefined;
    try {
      const call = (): Promise<Answer> =>
        within(
          (async () => await hook(context, tools))(),
          this.#timeoutMs,
          () => (late = tooLong()),
          signal,
        );
      return await (this.#observer?.phase(`hook.${name}`, call) ?? call());
    } catch (error) {
      if (signal?.aborted === true) throw error;
      const why = error === late ? late?.message : `failed: ${messageOf(error)}`;
      throw failed(plugin, name, why ?? "", error);
    } finally {
      abandoned.abort();
    }
  }
}

function failed(plugin: string, hook: HookName, why: string, cause: unknown): SilkError {
  return new SilkError(`the hook ${hook} of the plugin ${plugin} ${why}`, {
    code: "HOOK_FAILED",
    kind: isSilkError(cause) ? cause.kind : "failed",
    hint: isSilkError(cause) ? cause.hint : undefined,
    details: { plugin, hook },
    cause,
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

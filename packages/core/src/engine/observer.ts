import { AsyncLocalStorage } from "node:async_hooks";
import { toSilkError } from "../errors.ts";
import type { Host } from "../host.ts";
import type { Operation, OperationPhase, OperationReport, OperationVerb } from "../plugin/hooks.ts";
import type { VmRecord } from "../vm/record.ts";
import { randomId } from "../vm/names.ts";

/** An operation while it is under way. */
interface UnderWay extends Operation {
  readonly beganMs: number;
  readonly phases: OperationPhase[];
  vm?: OperationReport["vm"];
}

/** Methods of backends and networks that are no part of an operation, or are told of by what they are called for. */
const silent: ReadonlySet<string | symbol> = new Set(["inspect", "list", "recover"]);

/** Follows operations through their phases, for those who are told of them at their end. */
export class OperationObserver {
  readonly #host: Host;
  readonly #current = new AsyncLocalStorage<UnderWay>();

  constructor(host: Host) {
    this.#host = host;
  }

  /** The operation that the caller is a part of. */
  get operation(): Operation | undefined {
    return this.#current.getStore();
  }

  /** Runs an operation, and tells what has become of it. */
  async observe<T>(
    verb: OperationVerb,
    ref: string | undefined,
    run: () => Promise<T>,
    tell: (report: OperationReport) => Promise<void>,
  ): Promise<T> {
    const { clock } = this.#host;
    const operation: UnderWay = {
      id: randomId(this.#host),
      verb,
      beganMs: clock.monotonicMs(),
      phases: [],
    };
    const startedAt = new Date(clock.now()).toISOString();
    return await this.#current.run(operation, async () => {
      const end = async (outcome: Pick<OperationReport, "timings" | "error">): Promise<void> => {
        const { id, vm, phases } = operation;
        const tookMs = rounded(clock.monotonicMs() - operation.beganMs);
        const byBeginning = phases.toSorted((a, b) => a.afterMs - b.afterMs);
        await tell({ id, verb, ref, vm, startedAt, tookMs, phases: byBeginning, ...outcome });
      };
      let result: T;
      try {
        result = await run();
      } catch (error) {
        await end({ error: toSilkError(error).toJSON() });
        throw error;
      }
      await end({ timings: timingsOf(result) });
      return result;
    });
  }

  /** Says which VM the operation is on. */
  subject({ id, name, backend }: Pick<VmRecord, "id" | "name" | "backend">): void {
    const operation = this.#current.getStore();
    if (operation !== undefined) operation.vm = { id, name, backend };
  }

  async phase<T>(name: string, run: () => Promise<T>): Promise<T> {
    const operation = this.#current.getStore();
    if (operation === undefined) return await run();
    const began = this.#host.clock.monotonicMs();
    return await this.#finish(operation, name, began, run());
  }

  /** A backend, a network or an image source whose calls are phases, named `<what>.<method>`. */
  watch<T extends object>(what: string, target: T): T {
    return new Proxy(target, {
      get: (_target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== "function") return value;
        const method = (value as (...args: unknown[]) => unknown).bind(target);
        if (typeof key === "symbol" || silent.has(key)) return method;
        return (...args: unknown[]): unknown => {
          const operation = this.#current.getStore();
          const began = this.#host.clock.monotonicMs();
          const result = method(...args);
          return operation !== undefined && result instanceof Promise
            ? this.#finish(operation, `${what}.${key}`, began, result)
            : result;
        };
      },
    });
  }

  async #finish<T>(
    operation: UnderWay,
    name: string,
    beganMs: number,
    result: Promise<T>,
  ): Promise<T> {
    let failed = true;
    try {
      const value = await result;
      failed = false;
      return value;
    } finally {
      operation.phases.push({
        name,
        afterMs: rounded(beganMs - operation.beganMs),
        tookMs: rounded(this.#host.clock.monotonicMs() - beganMs),
        failed,
      });
    }
  }
}

function timingsOf(result: unknown): OperationReport["timings"] {
  const { timings } = (result ?? {}) as { timings?: OperationReport["timings"] };
  return timings;
}

/** To the microsecond: what a clock tells beyond that is noise. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

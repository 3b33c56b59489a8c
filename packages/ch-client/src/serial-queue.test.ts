import { describe, expect, it } from "vitest";
import { SerialQueue } from "./serial-queue.ts";

const never = new AbortController().signal;

describe("a serial queue", () => {
  it("runs one task at a time, in order, and goes on after a failure", async () => {
    const queue = new SerialQueue();
    const log: string[] = [];
    const task = (name: string, fail = false) =>
      queue.run(never, async () => {
        log.push(`${name} begins`);
        await new Promise((resolve) => setImmediate(resolve));
        log.push(`${name} ends`);
        if (fail) throw new Error(name);
        return name;
      });
    const outcomes = await Promise.allSettled([task("a"), task("b", true), task("c")]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(log).toEqual(["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
  });

  it("never runs a task whose signal aborts before its turn, and keeps the order of the rest", async () => {
    const queue = new SerialQueue();
    const log: string[] = [];
    const first = Promise.withResolvers<void>();
    const controller = new AbortController();
    const a = queue.run(never, () => first.promise);
    const b = queue.run(controller.signal, async () => void log.push("b"));
    const c = queue.run(never, async () => void log.push("c"));
    controller.abort();
    expect(await b).toBeUndefined();
    expect(log).toEqual([]);
    first.resolve();
    await Promise.all([a, c]);
    expect(log).toEqual(["c"]);
  });
});

import { expect, test } from "vitest";
import { delay } from "./delay.ts";

test("a delay lasts as long as asked for", async () => {
  const startMs = performance.now();
  // The event loop's clock stands still meanwhile.
  while (performance.now() < startMs + 20);
  const delayedMs = performance.now();
  await delay(30);
  expect(performance.now() - delayedMs).toBeGreaterThanOrEqual(30);
});

test("a delay longer than a timer can run does not end at once", async () => {
  const controller = new AbortController();
  const ended = delay(Infinity, controller.signal).then(
    () => "over",
    () => "aborted",
  );
  await delay(30);
  controller.abort();
  expect(await ended).toBe("aborted");
});

test("an abort, before or during, rejects with the signal's own reason", async () => {
  const reason = new Error("no more");
  await expect(delay(0, AbortSignal.abort(reason))).rejects.toBe(reason);
  const controller = new AbortController();
  const delayed = delay(60_000, controller.signal);
  controller.abort(reason);
  await expect(delayed).rejects.toBe(reason);
});

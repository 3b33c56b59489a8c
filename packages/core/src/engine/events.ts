import { SilkError } from "../errors.ts";
import type { SilkEvent } from "../vm/events.ts";
import type { EngineCore } from "./core.ts";
import { reconcile } from "./reconcile.ts";
import type { EventOptions } from "./types.ts";

const pageSize = 500;
/** How soon an event of another process, or the end of a VMM, is noticed. */
const pollMs = 200;

/** What has happened, and with `follow` what happens, until the signal aborts or the engine is closed. */
export async function* readEvents(
  core: EngineCore,
  options: EventOptions,
): AsyncGenerator<SilkEvent, void, undefined> {
  const follow = options.follow === true;
  const until = core.until(options.signal);
  if (options.after !== undefined) refuseGap(core, options.after);
  let seq = options.after ?? (follow ? core.read((store) => store?.lastEventSeq() ?? 0) : 0);
  for (;;) {
    await noticeEnded(core);
    for (;;) {
      if (until.aborted) return;
      const page = core.read((store) => store?.eventsAfter(seq, pageSize) ?? []);
      for (const event of page) {
        yield event;
        seq = event.seq;
      }
      if (page.length < pageSize) break;
    }
    if (!follow) return;
    try {
      await core.host.clock.delay(pollMs, { signal: until });
    } catch {
      return;
    }
  }
}

/** Who goes on behind an event that is followed by some that are gone must hear of it: silence would look like nothing had happened. */
function refuseGap(core: EngineCore, after: number): void {
  const first = core.read((store) => store?.firstEventSeq());
  if (after === 0 || first === undefined || first <= after + 1) return;
  throw new SilkError(`the events ${after + 1} to ${first - 1} are no longer kept`, {
    code: "EVENTS_GONE",
    kind: "not-found",
    hint: `Look at the VMs anew (silk vm list), and go on from there: silk events --after ${first - 1}`,
    details: { after, firstSeq: first },
  });
}

/**
 * Nobody is told when a VMM dies without a silk beside it; so who asks for events looks, and writes down what it finds, for all.
 * A VM that an operation holds is left to it.
 */
async function noticeEnded(core: EngineCore): Promise<void> {
  const suspects = core.read((store) =>
    (store?.listRunning() ?? []).filter(
      ({ vmm }) => vmm !== undefined && !core.host.processes.isAlive(vmm),
    ),
  );
  for (const { seq, summary } of suspects) {
    try {
      const store = await core.store();
      await using lock = await core.host.locks.acquire(core.lockPath, seq, { waitMs: 0 });
      const vm = lock === undefined ? undefined : store.findBySeq(seq);
      if (vm !== undefined) await reconcile(core, store, vm);
    } catch (error) {
      // Who may not write still sees the events of those who may.
      core.logger.debug(
        `the end of the VM ${summary.name} could not be written down: ${(error as Error).message}`,
      );
    }
  }
}

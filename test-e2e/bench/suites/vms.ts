import { join } from "node:path";
import type { BatchResult } from "@silkvm/core";
import { findRealVmm } from "../../src/real-vmm.ts";
import { type BenchVms, makeVms } from "../bench-vms.ts";
import { cleanEnvironment, timeProgram, timeSilk } from "../program.ts";
import { freshDirectory, type RawVmm, startRaw, stopRaw, untilGone } from "../raw-vmm.ts";
import type { Case, Comparison, Suite, SuiteContext } from "../suite.ts";
import { timed } from "../timed.ts";

/** What a start may take beyond the VMM's own time. */
const startExtraMs = 10;

/** Start and stop of one VM, and of twenty at once. */
export const vms: Suite = {
  name: "vms",
  description: "start and stop of VMs against the VMM alone",
  async *comparisons(context) {
    for (const count of [1, 20]) {
      await using made = await makeVms(count, context);
      yield* comparisons(made, context);
    }
  },
};

function* comparisons(made: BenchVms, { dir }: SuiteContext): Iterable<Comparison> {
  const { ids, engine, sandbox, command } = made;
  const env = { ...cleanEnvironment(dir), ...sandbox.env };
  const many = ids.length === 1 ? "1 VM" : `${ids.length} VMs at once`;
  const runs = ids.length === 1 ? 15 : 7;
  const start = async (): Promise<void> => succeed(await engine.start(ids));
  const stop = async (): Promise<void> => succeed(await engine.stop(ids));
  const rawDirs = (): Promise<string[]> =>
    Promise.all(ids.map((_, index) => freshDirectory(join(sandbox.dir, `raw-${index}`))));
  const startRaws = (dirs: readonly string[]): Promise<RawVmm[]> =>
    Promise.all(dirs.map((raw) => startRaw(command, raw)));
  const stopRaws = async (raws: readonly RawVmm[]): Promise<void> =>
    void (await Promise.all(raws.map(stopRaw)));

  yield {
    title: `start of ${many}`,
    runs,
    peer: {
      name: "the VMM alone, until its guest runs",
      run: async () => {
        const dirs = await rawDirs();
        const began = performance.now();
        const raws = await startRaws(dirs);
        const tookMs = performance.now() - began;
        await stopRaws(raws);
        return tookMs;
      },
    },
    cases: [
      {
        name: "SDK: engine.start()",
        aimExtraMs: ids.length === 1 ? startExtraMs : undefined,
        run: () => timed(start, undefined, stop),
      },
      {
        name: "CLI: silk vm start",
        run: () => timed(() => timeSilk(["vm", "start", ...ids], { env }), undefined, stop),
      },
    ],
  };

  const chRemote = made.target.name === "cloud-hypervisor" ? findRealVmm().chRemotePath : undefined;
  const byRemote: Case | undefined =
    chRemote === undefined || ids.length > 1
      ? undefined
      : {
          name: "ch-remote shutdown-vmm, until it is gone",
          run: async () => {
            const [raw] = (await startRaws(await rawDirs())) as [RawVmm];
            const gone = untilGone(raw.child);
            const began = performance.now();
            const args = ["--api-socket", raw.socketPath, "shutdown-vmm"];
            // 1 where the VMM refuses, as it does now and then ("Timeout when waiting for signal").
            timeProgram(chRemote, args, { env, codes: [0, 1] });
            await gone;
            return performance.now() - began;
          },
        };
  yield {
    title: `stop of ${many}`,
    runs,
    peer: {
      name: "the VMM alone, vmm.shutdown until it is gone",
      run: async () => {
        const raws = await startRaws(await rawDirs());
        const began = performance.now();
        await stopRaws(raws);
        return performance.now() - began;
      },
    },
    cases: [
      ...(byRemote === undefined ? [] : [byRemote]),
      { name: "SDK: engine.stop()", run: () => timed(stop, start) },
      {
        name: "CLI: silk vm stop",
        run: () => timed(() => timeSilk(["vm", "stop", ...ids], { env }), start),
      },
    ],
  };
}

function succeed({ failed }: BatchResult): void {
  if (failed[0] !== undefined) throw failed[0].error;
}

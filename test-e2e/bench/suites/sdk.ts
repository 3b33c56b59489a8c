import { createChClient } from "@silkvm/ch-client";
import type { Engine } from "@silkvm/core";
import { makeVms } from "../bench-vms.ts";
import { cleanEnvironment, timeProgram, timeSilk } from "../program.ts";
import { findRealVmm } from "../../src/real-vmm.ts";
import type { Case, Suite } from "../suite.ts";

/** So many calls are timed together: one takes a fraction of a millisecond. */
const calls = 50;

/** What the engine adds to the VMM's API. */
export const sdk: Suite = {
  name: "sdk",
  description: "calls of the SDK against the bare API client, on a VM that runs",
  async *comparisons(context) {
    await using made = await makeVms(1, context);
    const { engine, sandbox, target } = made;
    const [id = ""] = made.ids;
    await engine.start([id]);
    const { apiSocketPath } = (await engine.inspect(id)).paths;
    await using client = createChClient({ socketPath: apiSocketPath });
    const repeated = (name: string, call: () => Promise<unknown>): Case => ({
      name,
      run: () => average(call),
    });
    const another = async (use: (fresh: Engine) => Promise<unknown>): Promise<void> => {
      await using fresh = await sandbox.engine();
      await use(fresh);
    };
    yield {
      title: "one call of the SDK",
      runs: 15,
      peer: repeated("ch-client: vm.info", () => client.vm.info()),
      cases: [
        repeated("SDK: engine.inspect()", () => engine.inspect(id)),
        repeated("SDK: engine.list()", () => engine.list()),
        repeated("SDK: engine.start() of a VM that runs", () => engine.start([id])),
        repeated("SDK: a new engine, and its inspect()", () =>
          another((fresh) => fresh.inspect(id)),
        ),
      ],
    };
    const chRemote = target.name === "cloud-hypervisor" ? findRealVmm().chRemotePath : undefined;
    if (chRemote === undefined) {
      context.note("there is no ch-remote to compare `silk vm inspect` with");
      return;
    }
    const env = { ...cleanEnvironment(context.dir), ...sandbox.env };
    yield {
      title: "whole processes that ask a VM that runs",
      runs: 21,
      peer: {
        name: "ch-remote info",
        run: () => timeProgram(chRemote, ["--api-socket", apiSocketPath, "info"], { env }),
      },
      cases: [
        { name: "silk vm inspect", run: () => timeSilk(["vm", "inspect", id], { env }) },
        { name: "silk vm list", run: () => timeSilk(["vm", "list"], { env }) },
      ],
    };
  },
};

/** Milliseconds of one call. */
async function average(call: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  for (let index = 0; index < calls; index += 1) await call();
  return (performance.now() - began) / calls;
}

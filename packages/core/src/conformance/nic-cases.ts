import assert from "node:assert/strict";
import { netResize } from "../devices/net-resize.ts";
import type { Engine } from "../engine/types.ts";
import { isSilkError } from "../errors.ts";
import type { VmSpec } from "../vm/spec.ts";
import type { ConformanceCase, ConformanceSetup, ConformanceTest } from "./cases.ts";

/** What a backend must do with NICs, and what it must do where it can change those of a VM that runs. */
export function nicCases(setup: ConformanceSetup, test: ConformanceTest): ConformanceCase[] {
  const { network } = setup;
  if (network === undefined) return [];
  const spec = (nics: number): VmSpec => ({ ...setup.spec(), ...network, name: "nics", nics });
  const macsOf = async (engine: Engine): Promise<string[]> =>
    (await engine.inspect("nics")).nics.map(({ mac }) => mac);

  return [
    test("a VM has the NICs that it was made with, each time it runs", async (engine) => {
      const vm = await engine.create(spec(2));
      const macs = await macsOf(engine);
      assert.equal(new Set(macs).size, 2, "each NIC has a MAC of its own");
      for (let time = 0; time < 2; time++) {
        await vm.start();
        const { observed } = await vm.inspect();
        const found = observed.devices?.filter(({ kind }) => kind === "nic");
        if (found !== undefined) assert.equal(found.length, 2, "the VMM has both");
        assert.deepEqual(await macsOf(engine), macs);
        await vm.stop({ force: true });
      }
    }),

    test("NICs are added to a VM that runs and taken away again, or the backend says that it cannot", async (engine) => {
      const vm = await engine.create(spec(1));
      await vm.start();
      const backend = await engine.backend();
      const grow = engine.nics.change("nics", async (change) => [
        await change.add(),
        await change.add(),
      ]);
      if (backend.capability(netResize) === undefined) {
        await assert.rejects(
          grow,
          (error) => isSilkError(error) && error.code === "CAPABILITY_MISSING",
        );
        return;
      }
      const added = await grow;
      const states = async (): Promise<string[]> =>
        (await engine.nics.list("nics")).map(({ state }) => state);
      assert.deepEqual(await states(), ["attached", "attached", "attached"]);
      assert.deepEqual(
        (await macsOf(engine)).slice(1),
        added.map(({ mac }) => mac),
      );
      await engine.nics.change("nics", async (change) => {
        for (const nic of change.vm.nics.toReversed()) await change.remove(nic);
      });
      assert.deepEqual(await states(), []);
      const { observed } = await vm.inspect();
      assert.equal(observed.devices?.some(({ kind }) => kind === "nic") ?? false, false);
      await engine.nics.change("nics", (change) => change.add());
      assert.deepEqual(await states(), ["attached"]);
    }),

    test("the NICs of a VM that does not run are changed for its next start", async (engine) => {
      const vm = await engine.create(spec(0));
      await engine.nics.change("nics", (change) => change.add());
      assert.deepEqual(
        (await engine.nics.list("nics")).map(({ state }) => state),
        ["detached"],
      );
      await vm.start();
      const { observed } = await vm.inspect();
      const found = observed.devices?.filter(({ kind }) => kind === "nic");
      if (found !== undefined) assert.equal(found.length, 1);
    }),
  ];
}

import { type Engine, type VmSpec } from "@silkvm/core";
import imagesPlugin, { openImages } from "@silkvm/images";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, it } from "vitest";
import { runFaultless, runFaulty } from "./fault-run.ts";
import { faultsMs, faultsOf, faultWays } from "./fault-sample.ts";
import { vmName } from "./fault-verbs.ts";
import { blobsIn, imagesMissing, writeVmImage } from "./image-scene.ts";
import { makeSandbox, type Sandbox } from "./sandbox.ts";
import { expectNothingLeft } from "./snapshot-scene.ts";
import { targets } from "./targets.ts";

const spec: VmSpec = {
  cpus: 1,
  memoryBytes: 64 * 1024 ** 2,
  storageBytes: 16 * 1024 ** 2,
  image: "web:1.0",
  name: vmName,
};

// What an image adds to a create is the same on every VMM.
describe.each(targets.slice(0, 1))("a VM of an image, on $name", (target) => {
  describe.skipIf(imagesMissing !== undefined)("", () => {
    it.each(faultWays)(
      "is made, or leaves nothing and holds nothing, when an effect %s; and is made the next time",
      (way) =>
        onScene(async (sandbox, engine) => {
          const { effects } = await runFaultless(sandbox, "create", spec);
          expect(effects.length).toBeGreaterThan(5);
          await engine.delete([vmName]);
          for (const fault of faultsOf(target, way, effects.length)) {
            const { kind, nth } = fault;
            const report = await runFaulty(sandbox, "create", spec, fault);
            const place = `${kind} at effect ${nth} of ${effects.length}, ${effects[nth - 1]}`;
            if (report?.ok === false)
              expect(report.error?.kind, `${place}: ${report.error?.message}`).not.toBe("internal");
            // The first run of all made the store besides: the last effects may not be there this time.
            if (kind === "kill" && report !== undefined)
              expect(report.effects.length, place).toBeLessThan(nth);
            await expectWhole(sandbox, engine, report?.ok === true ? [vmName] : [], place);
          }
        }),
      faultsMs,
    );
  });

  async function onScene(test: (sandbox: Sandbox, engine: Engine) => Promise<void>): Promise<void> {
    await using sandbox = await makeSandbox(target.chBinary(), [imagesPlugin]);
    await using engine = await sandbox.engine();
    const { directory } = await writeVmImage(sandbox, target, "web");
    await using images = openImages({ host: linuxHost(), rootDir: sandbox.config.rootDir });
    await images.import(directory, { name: "web:1.0" });
    await test(sandbox, engine);
    await expectNothingLeft(engine, sandbox);
  }
});

/** The image is whole and free, nothing is left of what was undone, and the VM can be made. */
async function expectWhole(
  sandbox: Sandbox,
  engine: Engine,
  made: readonly string[],
  place: string,
): Promise<void> {
  expect(await engine.gc(), place).toEqual([]);
  expect(
    (await engine.list({ all: true })).map(({ name }) => name),
    place,
  ).toEqual(made);
  const before = await blobsIn(sandbox);
  if (made.length === 0) await engine.create(spec);
  const view = await engine.inspect(vmName);
  expect(view.state, place).toBe("created");
  expect([...view.imageBlobIds].toSorted(), place).toEqual(before);
  await engine.delete([vmName]);
}

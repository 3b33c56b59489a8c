import cloudHypervisorPlugin from "@silkvm/cloud-hypervisor";
import { createEngine, type Engine, toSilkError, type VmSpec } from "@silkvm/core";
import { failNth, releasing, withGate } from "@silkvm/core/testing";
import imagesPlugin, { openImages } from "@silkvm/images";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, it } from "vitest";
import { type FaultReport, runFaulty } from "./fault-run.ts";
import { vmName } from "./fault-verbs.ts";
import { blobsIn, imagesMissing, writeVmImage } from "./image-scene.ts";
import { makeSandbox, type Sandbox } from "./sandbox.ts";
import { expectNothingLeft } from "./snapshot-scene.ts";
import { targets } from "./targets.ts";

const failures = ["ENOSPC", "EIO", "EACCES", "ETIMEDOUT"] as const;
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
    it("is made, or leaves nothing and holds nothing, when any of its effects fails; and is made the next time", async () => {
      await onScene(async (sandbox, engine) => {
        const { effects } = await failCreate(sandbox, undefined);
        expect(effects.length).toBeGreaterThan(5);
        await engine.delete([vmName]);
        for (let nth = 1; nth <= effects.length; nth++) {
          const kind = failures[nth % failures.length] ?? "EIO";
          const report = await failCreate(sandbox, { kind, nth });
          const place = `${kind} at effect ${nth} of ${effects.length}, ${effects[nth - 1]}`;
          if (!report.ok)
            expect(report.error?.kind, `${place}: ${report.error?.message}`).not.toBe("internal");
          await expectWhole(sandbox, engine, report.ok ? [vmName] : [], place);
        }
      });
    }, 120_000);

    it("is undone by the next command when its maker is killed at any of its effects", async () => {
      await onScene(async (sandbox, engine) => {
        const { effects } = await failCreate(sandbox, undefined);
        await engine.delete([vmName]);
        const kill = async (nth: number): Promise<void> => {
          const fault = { kind: "kill", nth } as const;
          const report = await runFaulty({ config: sandbox.config, verb: "create", spec, fault });
          const place = `killed at effect ${nth} of ${effects.length}, ${effects[nth - 1]}`;
          // The first run of all made the store besides: the last effects may not be there this time.
          if (report !== undefined) expect(report.effects.length, place).toBeLessThan(nth);
          await expectWhole(sandbox, engine, report === undefined ? [] : [vmName], place);
        };
        for (let nth = 1; nth <= effects.length; nth++) await kill(nth);
      });
    }, 120_000);
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

/** Creates the VM in this process, with a fault or without one. */
async function failCreate(
  { config, dir }: Sandbox,
  wanted: { readonly kind: (typeof failures)[number]; readonly nth: number } | undefined,
): Promise<FaultReport> {
  const effects: string[] = [];
  const gate = wanted === undefined ? () => undefined : failNth(wanted.nth, wanted.kind);
  await using locks = new AsyncDisposableStack();
  const host = withGate(releasing(linuxHost(), locks), (effect) => {
    effects.push(effect.name);
    return gate(effect);
  });
  try {
    const plugins = [cloudHypervisorPlugin, imagesPlugin];
    await using engine = await createEngine({ host, plugins, config, cwd: dir });
    await engine.create(spec);
    return { ok: true, effects };
  } catch (error) {
    return { ok: false, effects, error: toSilkError(error).toJSON() };
  }
}

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

// Runs one verb of the engine, again and again, beside other processes that do the same. Told by one JSON argument.
import { writeSync } from "node:fs";
import cloudHypervisorPlugin from "@silkvm/cloud-hypervisor";
import { createEngine, type Engine, toSilkError } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import type { Racer, RaceReport } from "./snapshot-race.ts";

const { config, verb, rounds, vm, snapshot } = JSON.parse(process.argv[2] as string) as Racer;

const verbs: Readonly<Record<Racer["verb"], (engine: Engine, round: number) => Promise<unknown>>> =
  {
    save: (engine) => engine.snapshots.save(vm, { name: snapshot }),
    clone: async (engine, round) =>
      engine.clone({ snapshot }, { name: `clone-${process.pid}-${round}` }),
    restore: (engine) => engine.restore(vm, { snapshot }),
    remove: async (engine) => {
      const { failed } = await engine.snapshots.delete([snapshot]);
      if (failed[0] !== undefined) throw failed[0].error;
    },
  };

await using engine = await createEngine({
  host: linuxHost(),
  plugins: [cloudHypervisorPlugin],
  config,
});
const outcomes: RaceReport[number][] = [];
for (let round = 0; round < rounds; round++) {
  try {
    await verbs[verb](engine, round);
    outcomes.push({ ok: true });
  } catch (error) {
    outcomes.push({ ok: false, error: toSilkError(error).toJSON() });
  }
}
writeSync(1, JSON.stringify(outcomes));

import type { ProcessIdentity } from "@silkvm/core";
import * as fc from "fast-check";
import type { VmRow } from "./store.ts";

const unitMs = {
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
  month: 2_592_000_000,
  year: 31_536_000_000,
};

/**
 * Spans of time in all units. Each is half-way to the next one that is shown in other words, so that a test that takes its time still sees
 * the same; `shortest` keeps off those for which half-way is soon.
 */
export function spans(shortest: keyof typeof unitMs): fc.Arbitrary<number> {
  const names = Object.keys(unitMs) as (keyof typeof unitMs)[];
  return fc
    .tuple(fc.constantFrom(...names.slice(names.indexOf(shortest))), fc.nat(6))
    .map(([unit, count]) => (count + 0.5) * unitMs[unit]);
}

const word = fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,30}$/);
const text = fc.string({ unit: "grapheme", maxLength: 12 });
const GiB = 2 ** 30;

/** VMs of all kinds but those that run, or are being made, with ids and names of their own. */
export function restingRows(options: {
  readonly nowMs: number;
  readonly maxLength: number;
  readonly minLength?: number;
  readonly shortest: keyof typeof unitMs;
}): fc.Arbitrary<VmRow[]> {
  const moment = spans(options.shortest).map((spanMs) =>
    new Date(Math.round(options.nowMs - spanMs)).toISOString(),
  );
  const problem = fc.record({
    code: fc.constantFrom("VMM_DIED", "START_FAILED"),
    message: text,
    at: moment,
  });
  const row = fc
    .record({
      id: word,
      name: word,
      state: fc.constantFrom<VmRow["state"][]>("created", "stopped", "stopped", "error"),
      backend: fc.constantFrom("cloud-hypervisor", "cloud-hypervisor", "qemu"),
      cpus: fc.oneof(fc.constantFrom(1, 2, 4), fc.integer({ min: 1, max: 1024 })),
      memoryBytes: fc.oneof(fc.constantFrom(GiB / 2, GiB, 8 * GiB), fc.nat(2 ** 40)),
      storageBytes: fc.oneof(fc.constantFrom(0, 10 * GiB), fc.nat(2 ** 45)),
      nics: fc.constantFrom(0, 0, 1, 16),
      image: fc.option(text),
      labels: fc.oneof(fc.constant({}), fc.dictionary(text, text, { maxKeys: 3 })),
      createdAt: moment,
      problem: fc.option(problem, { nil: undefined }),
    })
    .map((vm): VmRow => ({ ...vm, problem: vm.state === "error" ? vm.problem : undefined }));
  return fc.uniqueArray(row, {
    maxLength: options.maxLength,
    minLength: options.minLength ?? 0,
    selector: ({ id, name }) => `${id} ${name}`,
    comparator: (a, b) => a.split(" ").some((part, index) => part === b.split(" ")[index]),
  });
}

/** Lets some of the VMs run. */
export function running(row: VmRow, vmm: ProcessIdentity, startedAt: string): VmRow {
  return { ...row, state: "running", problem: undefined, running: { vmm, startedAt } };
}

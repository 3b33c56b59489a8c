import { listOf, parseJson, u32 } from "../json/schema.ts";
import { defaulted, field, struct } from "../json/struct.ts";
import { VmmError } from "../errors.ts";
import { migrationError } from "./migration-error.ts";

interface Entry {
  function: number;
  index: number;
  flags: number;
  eax: number;
  ebx: number;
  ecx: number;
  edx: number;
}

type Registers = Pick<Entry, "eax" | "ebx" | "ecx" | "edx">;

/** The simulated CPU: one of AMD's with no more than every x86-64 has. */
export const commonCpuid: readonly Entry[] = [
  leaf(0, { eax: 13, ebx: 1_752_462_657, ecx: 1_145_913_699, edx: 1_769_238_117 }),
  leaf(1, { eax: 0, ebx: 0, ecx: 0, edx: 0x078b_fbff }),
];

function leaf(number: number, registers: Registers): Entry {
  return { function: number, index: 0, flags: 0, ...registers };
}

/** Words of features, each of which the CPU must have where the guest was given it. */
const featureWords: readonly (readonly [
  leaf: number,
  subleaf: number,
  register: keyof Registers,
])[] = [
  [1, 0, "ecx"],
  [1, 0, "edx"],
  [7, 0, "ebx"],
  [7, 0, "ecx"],
  [7, 0, "edx"],
  [7, 1, "eax"],
  [0x8000_0001, 0, "ecx"],
  [0x8000_0001, 0, "edx"],
];

const vmSnapshot = struct<{ common_cpuid: Entry[] }>("VmSnapshot", [
  defaulted(
    "common_cpuid",
    listOf(
      struct<Entry>("CpuIdEntry", [
        field("function", u32),
        field("index", u32),
        field("flags", u32),
        field("eax", u32),
        field("ebx", u32),
        field("ecx", u32),
        field("edx", u32),
      ]),
    ),
    () => [],
  ),
]);

/** Whether the simulated CPU has all that the guest of a snapshot was given. Throws a VmmError. */
export function checkCpuid(state: string): void {
  const { common_cpuid: given } = parseJson(vmSnapshot, Buffer.from(state));
  const isCompatible = featureWords.every(
    ([number, subleaf, register]) =>
      (wordOf(given, number, subleaf, register) &
        ~wordOf(commonCpuid, number, subleaf, register)) ===
      0,
  );
  if (isCompatible) return;
  throw migrationError(
    "MigrateReceive",
    "Error checking cpu feature compatibility",
    new VmmError("CpuidCheckCompatibility", "Error checking CPUID compatibility"),
  );
}

function wordOf(
  entries: readonly Entry[],
  number: number,
  subleaf: number,
  register: keyof Registers,
): number {
  return (
    entries.find(({ function: found, index }) => found === number && index === subleaf)?.[
      register
    ] ?? 0
  );
}

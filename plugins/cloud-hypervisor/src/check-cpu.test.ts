import type { CpuidEntry, HostFacts, SnapshotManifest } from "@silkvm/core";
import { expect, it } from "vitest";
import { snapshotDocuments } from "../test/snapshot-texts.ts";
import { checkCpu } from "./check-cpu.ts";

type Registers = Partial<Pick<CpuidEntry, "eax" | "ebx" | "ecx" | "edx">>;
type Leaves = Readonly<Record<string, Registers>>;

/** Of one CPU: what its guests are given, by leaf and subleaf. */
const cpu = {
  "1.0": { ecx: 0x8120_2000, edx: 0x078b_fbff },
  "7.0": { eax: 1, ebx: 0x0180_2852, ecx: 0x104, edx: 0x2000_0000 },
  "7.1": { eax: 0x1c00 },
  "80000001.0": { ecx: 0x101, edx: 0x2010_0800 },
  "40000000.0": { eax: 0x4000_0001, ebx: 0x4b4d_564b, ecx: 0x564b_4d56, edx: 0x4d },
  "40000001.0": { eax: 0x0100_fefb },
} as const satisfies Leaves;

function entriesOf(leaves: Leaves): CpuidEntry[] {
  return Object.entries(leaves).map(([name, registers]) => {
    const [leaf = "", subleaf] = name.split(".");
    const none = { eax: 0, ebx: 0, ecx: 0, edx: 0 };
    return { leaf: Number.parseInt(leaf, 16), subleaf: Number(subleaf), ...none, ...registers };
  });
}

interface Case {
  /** What the guest was given. Default: what {@link cpu} gives. */
  readonly given?: Leaves;
  /** What this host has; null where it cannot be asked. */
  readonly here?: Leaves | null;
  readonly cpus?: Readonly<Record<string, unknown>>;
  readonly vmmMajor?: number;
  readonly host?: Partial<SnapshotManifest["host"]>;
}

function check({ given = cpu, here = cpu, cpus = {}, vmmMajor = 53, host = {} }: Case): void {
  const facts = {
    cpu: { vendor: "GenuineIntel", model: "This One", flags: ["sse", "avx"] },
    guestCpuid: here === null ? undefined : entriesOf(here),
  } as unknown as HostFacts;
  const { config, state } = snapshotDocuments({ config: { cpus: { boot_vcpus: 1, ...cpus } } });
  const common = entriesOf(given).map(({ leaf, subleaf, ...registers }) => ({
    function: leaf,
    index: subleaf,
    flags: 0,
    ...registers,
  }));
  const data = { state: JSON.stringify({ common_cpuid: common }) };
  const manifest = { host: { arch: "x64", vmmVersion: "v53.0", ...host } } as SnapshotManifest;
  checkCpu({ facts }, { config, state: { ...state, snapshot_data: data } }, manifest, vmmMajor);
}

const refused = expect.objectContaining({ code: "SNAPSHOT_CPU_MISMATCH", kind: "unsupported" });

it("a snapshot fits the CPU that it is from, and one that has more", () => {
  check({});
  check({ here: { ...cpu, "7.0": { eax: 2, ebx: 0xffff_ffff, ecx: 0x1ff, edx: 0xffff_ffff } } });
});

it.each<[string, Leaves]>([
  ["1.0.ecx", { ...cpu, "1.0": { ...cpu["1.0"], ecx: 0x8020_2000 & ~(1 << 21) } }],
  ["7.0.ebx", { ...cpu, "7.0": { ...cpu["7.0"], ebx: 0x0180_2850 } }],
  ["7.0.eax", { ...cpu, "7.0": { ...cpu["7.0"], eax: 0 } }],
  ["7.1.eax", { ...cpu, "7.1": {} }],
  ["80000001.0.ecx", { ...cpu, "80000001.0": { edx: cpu["80000001.0"].edx } }],
  ["40000000.0.ebx", { ...cpu, "40000000.0": { ...cpu["40000000.0"], ebx: 0x7263_694d } }],
  ["40000001.0.eax", { ...cpu, "40000001.0": { eax: 0x0100_fefa } }],
])("a CPU that lacks a feature in %s is told from it, by the word", (word, here) => {
  expect(() => check({ here })).toThrow(
    expect.objectContaining({
      code: "SNAPSHOT_CPU_MISMATCH",
      details: expect.objectContaining({ cpuid: [`0x${word}`] }) as unknown,
    }),
  );
});

it("a CPU of another make is told from it, with both by name", () => {
  const other = { vendor: "AuthenticAMD", model: "That One", flags: ["sse", "sse4a"] };
  const given = { ...cpu, "80000001.0": { ecx: 0x40_0393, edx: 0x23d3_fbff } };
  expect(() => check({ given, host: { cpu: other } })).toThrow(
    expect.objectContaining({
      message: expect.stringMatching(/\(That One\).*\(This One\)/) as unknown,
      hint: expect.stringContaining("host") as unknown,
      details: expect.objectContaining({ missingFlags: ["sse4a"] }) as unknown,
    }),
  );
  expect(() => check({ given })).toThrow(refused);
});

it("what the VMM sets by itself need not be here", () => {
  const here = {
    ...cpu,
    "1.0": { ecx: 0x0020_2000, edx: 0x078b_ebff },
    "40000001.0": { eax: 0x0100_7efb },
  };
  check({ here });
});

it.each<[string, Case]>([
  ["this host cannot be asked", { here: null }],
  ["the VMM is one whose check is not known", { here: {}, vmmMajor: 54 }],
  ["the guest has AMX", { here: {}, cpus: { features: { amx: true } } }],
  ["the guest has a CPU profile", { here: {}, cpus: { profile: "Skylake" } }],
  ["the snapshot says nothing of its CPU", { given: {}, here: {} }],
  [
    "the guest sees Hyper-V instead of KVM",
    {
      given: { ...cpu, "40000000.0": { eax: 0x4000_000a, ebx: 0x756e_694c } },
      cpus: { kvm_hyperv: true },
    },
  ],
])("nothing is refused where %s", (_when, wanted) => {
  check(wanted);
});

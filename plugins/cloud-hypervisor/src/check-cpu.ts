import { type CpuidEntry, type Host, SilkError, type SnapshotManifest } from "@silkvm/core";
import {
  isObject,
  type JsonObject,
  objectAt,
  type SnapshotDocuments,
} from "./snapshot-documents.ts";
import { configName } from "./snapshot-names.ts";
import { readPart } from "./state-parts.ts";

/** Versions of the VMM whose own check is known, and is no stricter than this one. Any other is left to answer for itself. */
const knownMajors: ReadonlySet<number> = new Set([53]);

type Register = "eax" | "ebx" | "ecx" | "edx";

interface FeatureWord {
  readonly leaf: number;
  readonly subleaf: number;
  readonly register: Register;
  /** `bits`: each that the guest has must be there; `most`: a number that must be as high; `same`: as it says. */
  readonly rule: "bits" | "most" | "same";
  /** Bits that the VMM sets by itself wherever it runs. */
  readonly ownBits?: number;
}

const kvmSignature = 0x4000_0000;

/** What the VMM compares before it restores a guest: `CpuidFeatureEntry` in its `arch/src/x86_64/mod.rs`. */
const featureWords: readonly FeatureWord[] = [
  // Its own: the TSC deadline timer, and that there is a hypervisor.
  { leaf: 1, subleaf: 0, register: "ecx", rule: "bits", ownBits: (1 << 24) | (1 << 31) },
  // Its own: MTRR.
  { leaf: 1, subleaf: 0, register: "edx", rule: "bits", ownBits: 1 << 12 },
  { leaf: 7, subleaf: 0, register: "eax", rule: "most" },
  { leaf: 7, subleaf: 0, register: "ebx", rule: "bits" },
  { leaf: 7, subleaf: 0, register: "ecx", rule: "bits" },
  { leaf: 7, subleaf: 0, register: "edx", rule: "bits" },
  { leaf: 7, subleaf: 1, register: "eax", rule: "bits" },
  { leaf: 0x8000_0001, subleaf: 0, register: "ecx", rule: "bits" },
  { leaf: 0x8000_0001, subleaf: 0, register: "edx", rule: "bits" },
  { leaf: kvmSignature, subleaf: 0, register: "eax", rule: "most" },
  { leaf: kvmSignature, subleaf: 0, register: "ebx", rule: "same" },
  { leaf: kvmSignature, subleaf: 0, register: "ecx", rule: "same" },
  { leaf: kvmSignature, subleaf: 0, register: "edx", rule: "same" },
  // Its own: interrupts for CPUs beyond the 255th.
  { leaf: kvmSignature + 1, subleaf: 0, register: "eax", rule: "bits", ownBits: 1 << 15 },
  { leaf: kvmSignature + 1, subleaf: 0, register: "ebx", rule: "bits" },
  { leaf: kvmSignature + 1, subleaf: 0, register: "ecx", rule: "bits" },
  { leaf: kvmSignature + 1, subleaf: 0, register: "edx", rule: "bits" },
];

/** What to do about a CPU that lacks what a guest was given. */
export const cpuMismatchHint =
  "Use the snapshot on a host with the same CPU, or a newer one of the same make.";

/**
 * Finds out before anything is touched whether this host's CPU has all that the snapshot's guest was given: the VMM looks only as it restores. Compared is what the
 * snapshot itself says of it, so that also one from elsewhere can be told; where this host cannot be asked, the VMM's answer counts.
 * @throws SilkError `SNAPSHOT_CPU_MISMATCH`
 */
export function checkCpu(
  { facts }: Pick<Host, "facts">,
  { config, state }: SnapshotDocuments,
  manifest: SnapshotManifest,
  vmmMajor: number | undefined,
): void {
  if (vmmMajor === undefined || !knownMajors.has(vmmMajor)) return;
  const cpus = objectAt(config, "cpus", configName);
  const { features } = cpus;
  // With these the VMM gives a guest something else than what KVM tells of first.
  if ((isObject(features) && features["amx"] === true) || (cpus["profile"] ?? "Host") !== "Host")
    return;
  const given = readPart(state, [])?.["common_cpuid"];
  const here = facts.guestCpuid;
  if (!Array.isArray(given) || here === undefined) return;
  const words =
    cpus["kvm_hyperv"] === true
      ? featureWords.filter(({ leaf }) => leaf < kvmSignature || leaf > kvmSignature + 1)
      : featureWords;
  const lacking = words.filter((word) => isLacking(word, given, here));
  if (lacking.length > 0) throw mismatch(facts.cpu, manifest, lacking.map(nameOf));
}

function isLacking(
  word: FeatureWord,
  given: readonly unknown[],
  here: readonly CpuidEntry[],
): boolean {
  const { register, rule, ownBits = 0 } = word;
  const needed = given.find(
    (entry): entry is JsonObject =>
      isObject(entry) && entry["function"] === word.leaf && entry["index"] === word.subleaf,
  )?.[register];
  if (typeof needed !== "number") return false;
  const found =
    here.find(({ leaf, subleaf }) => leaf === word.leaf && subleaf === word.subleaf)?.[register] ??
    0;
  if (rule === "same") return needed !== found;
  if (rule === "most") return needed > found;
  return (needed & ~found & ~ownBits) !== 0;
}

function nameOf({ leaf, subleaf, register }: FeatureWord): string {
  return `0x${leaf.toString(16)}.${subleaf}.${register}`;
}

function mismatch(
  here: Host["facts"]["cpu"],
  { host: { cpu: there } }: SnapshotManifest,
  cpuid: readonly string[],
): SilkError {
  const from = there === undefined || there.model === "" ? "" : ` (${there.model})`;
  const to = here.model === "" ? "" : ` (${here.model})`;
  const missingFlags = there?.flags.filter((flag) => !here.flags.includes(flag));
  return new SilkError(
    `the snapshot's guest was given features of another CPU${from} that this machine's${to} cannot give it`,
    {
      code: "SNAPSHOT_CPU_MISMATCH",
      kind: "unsupported",
      hint: cpuMismatchHint,
      details: { cpuid, ...(missingFlags === undefined ? {} : { missingFlags }) },
    },
  );
}

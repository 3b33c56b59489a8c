import {
  type Host,
  kvmProblem,
  type OperationContext,
  SilkError,
  type SnapshotManifest,
  type SnapshotSource,
} from "@silkvm/core";
import {
  checkArch,
  checkOverlays,
  damagedSnapshot,
  snapshotUnsupported,
  verifyExternals,
  verifyFiles,
} from "@silkvm/storage";
import { knownMachines, programVersion } from "./ask-program.ts";
import type { Machine } from "./machine.ts";
import {
  type MachineDocument,
  machineName,
  memoryName,
  readMachineDocument,
} from "./machine-document.ts";
import { canRead } from "./migration.ts";
import { varsName } from "./uefi-vars.ts";
import type { QmpVersion } from "./qmp/messages.ts";
import { formatVersion, isAtLeast, parseVersion } from "./version.ts";
import { vmmProgram } from "./vmm-program.ts";

/**
 * Checks a snapshot: its files, what it needs besides, that all of it is of one VM, and that this QEMU has the machine that it is of.
 * @throws SilkError `SNAPSHOT_DAMAGED`, `SNAPSHOT_UNSUPPORTED`, `SNAPSHOT_CPU_MISMATCH`, `KVM_UNAVAILABLE`, `KVM_DENIED`, and those of `verifyExternals`
 */
export async function checkSnapshot(
  machine: Machine,
  source: SnapshotSource,
  { signal, warn }: OperationContext,
): Promise<MachineDocument> {
  const { host } = machine;
  const { directory, manifest, checkContent: content, checkExternals } = source;
  const names = new Set(manifest.files.map(({ name }) => name));
  for (const name of [machineName, memoryName])
    if (!names.has(name)) throw damagedSnapshot(name, "is not among its files");
  for (const name of [machineName, memoryName, varsName])
    if (manifest.vm.disks.some(({ file }) => file === name))
      throw damagedSnapshot(name, "is said to be a disk");
  const program = await vmmProgram(machine);
  const [version] = await Promise.all([
    programVersion(machine, program, { signal }),
    verifyFiles(host, directory, manifest.files, { content, signal }),
    verifyExternals(host, checkExternals ? manifest.externals : [], { content, signal }),
  ]);
  const document = await readMachineDocument(host, directory, manifest);
  await checkOverlays(host, source);
  checkArch(host, manifest);
  checkVersions(version, manifest, document, warn);
  const known = await knownMachines(machine, program, { signal });
  if (!known.includes(document.machine))
    throw snapshotUnsupported(
      `the snapshot is of a machine ${document.machine}, which ${program} does not have`,
      {
        hint: "Use a QEMU that has it: `qemu-system-x86_64 -machine help` shows which ones a QEMU has.",
      },
    );
  // What is only taken in may be meant for another host.
  if (checkExternals) await checkAccel(host, document, manifest);
  return document;
}

function checkVersions(
  here: QmpVersion,
  { host: { vmmVersion } }: SnapshotManifest,
  { memory }: MachineDocument,
  warn: OperationContext["warn"],
): void {
  const there = parseVersion(vmmVersion);
  const thisOne = formatVersion(here);
  if (!canRead(here, memory) || (there !== undefined && !isAtLeast(here, there)))
    throw snapshotUnsupported(
      `the snapshot was made with QEMU ${vmmVersion}, and this one is the older ${thisOne}`,
      {
        hint: "Install a QEMU that is at least as new.",
      },
    );
  if (there !== undefined && (there.major !== here.major || there.minor !== here.minor))
    warn(`the snapshot was made with QEMU ${vmmVersion}, and this one is ${thisOne}`);
}

/** A guest goes on with the CPU that it had: one of KVM's with at least the features of then, one of TCG's with TCG's. */
async function checkAccel(
  host: Host,
  { accel }: MachineDocument,
  { host: { cpu: there } }: SnapshotManifest,
): Promise<void> {
  if (accel === "tcg") return;
  const problem = await kvmProblem(host);
  if (problem !== undefined) throw problem;
  const { cpu } = host.facts;
  const missingFlags = there?.flags.filter((flag) => !cpu.flags.includes(flag)) ?? [];
  const isOther = there !== undefined && there.vendor !== cpu.vendor;
  if (missingFlags.length === 0 && !isOther) return;
  throw new SilkError(
    `the snapshot's guest was given features of another CPU (${there?.model}) that this machine's (${cpu.model}) does not have`,
    {
      code: "SNAPSHOT_CPU_MISMATCH",
      kind: "unsupported",
      hint: "Use the snapshot on a host with the same CPU, or a newer one of the same make.",
      details: { missingFlags },
    },
  );
}

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Host, type SnapshotManifest, writeManifest } from "@silkvm/core";
import { sealDirectory } from "../src/seal/seal-directory.ts";
import { dense, writeSparse } from "./sparse-file.ts";

const mib = 2 ** 20;

/** A snapshot in a directory of its own: a state, a disk and a memory with holes, and a kernel outside of it. */
export async function makeSnapshot(
  host: Host,
  directory: string,
  wanted: { readonly kernelPath?: string; readonly memoryBytes?: number } = {},
): Promise<SnapshotManifest> {
  const { kernelPath = "/boot/vmlinux", memoryBytes = 16 * mib } = wanted;
  mkdirSync(directory, { mode: 0o700 });
  writeSparse(join(directory, "cow.raw"), 64 * mib, [{ position: mib, bytes: dense(2 * mib) }]);
  writeSparse(join(directory, "memory-ranges"), memoryBytes, [
    { position: 0, bytes: dense(mib, 2) },
    { position: memoryBytes / 2, bytes: dense(mib, 3) },
  ]);
  writeFileSync(join(directory, "config.json"), "{}");
  writeFileSync(join(directory, "state.json"), '{"big":18446744073709551615}');
  const names = ["memory-ranges", "cow.raw", "config.json", "state.json"];
  const files = await sealDirectory(host, directory, names);
  const manifest: SnapshotManifest = {
    format: "silk-snapshot",
    version: 1,
    id: "3f2504e04f8941d39a0c0305e82c3301",
    name: "golden",
    description: "for tests",
    createdAt: "2026-11-23T12:00:00.000Z",
    backend: "cloud-hypervisor",
    host: { arch: "x64", vmmVersion: "v53.0" },
    vm: {
      id: "web-1",
      name: "web",
      config: {
        cpus: 1,
        memoryBytes,
        storageBytes: 64 * mib,
        netQueueSize: 0,
        diskQueueSize: 0,
        noDirectIo: false,
        windows: false,
        sharedMemory: false,
        hugepages: false,
      },
      boot: { kind: "direct", kernelPath, cmdline: "console=hvc0" },
      disks: [
        { path: "/vms/web/cow.raw", role: "cow", readonly: false, serial: "cow", file: "cow.raw" },
      ],
      nics: [],
      labels: {},
      imageBlobIds: [],
      firstBooted: true,
    },
    externals: [{ path: kernelPath }],
    files,
  };
  await writeManifest(host, directory, manifest);
  return manifest;
}

import type { SnapshotDetails } from "@silkvm/core";
import { expect, it } from "vitest";
import { renderSnapshotDetails } from "./snapshot-view.ts";

const nowMs = Date.parse("2026-03-01T12:00:00.000Z");
const sha = "0".repeat(64);
const details: SnapshotDetails = {
  id: "3f9a1c2b4d5e6f70",
  name: "golden",
  description: "after the\nfirst request",
  createdAt: "2026-03-01T10:00:00.000Z",
  vmId: "77aa",
  vmName: "web",
  backend: "cloud-hypervisor",
  cpus: 2,
  memoryBytes: 1024 ** 3,
  nics: 0,
  sizeBytes: 2 * 1024 ** 3,
  parentId: null,
  imported: true,
  directory: "/var/lib/silk/snapshots/3f9a1c2b4d5e6f70",
  allocatedBytes: 300 * 1024 ** 2,
  usedBy: [{ id: "88bb", name: "web-1" }],
  manifest: {
    format: "silk-snapshot",
    version: 1,
    id: "3f9a1c2b4d5e6f70",
    name: "golden",
    description: "after the first request",
    createdAt: "2026-03-01T10:00:00.000Z",
    backend: "cloud-hypervisor",
    host: { arch: "x64", vmmVersion: "v53.0" },
    vm: {
      id: "77aa",
      name: "web",
      config: {
        cpus: 2,
        memoryBytes: 1024 ** 3,
        storageBytes: 0,
        netQueueSize: 0,
        diskQueueSize: 0,
        noDirectIo: false,
        windows: false,
        sharedMemory: false,
        hugepages: false,
      },
      boot: { kind: "direct", kernelPath: "/boot/vmlinux", cmdline: "console=hvc0" },
      disks: [
        { path: "/vms/77aa/cow.raw", role: "cow", readonly: false, serial: "c", file: "cow.raw" },
        { path: "/evil\u001b[2J", role: "layer", readonly: true },
      ],
      nics: [],
      labels: { team: "web" },
      imageBlobIds: [],
      firstBooted: true,
    },
    externals: [{ path: "/boot/vmlinux", chunksSha256: sha }, { path: "/evil\u001b[2J" }],
    files: [
      { name: "cow.raw", sizeBytes: 1024 ** 3, chunksSha256: sha },
      { name: "memory-ranges", sizeBytes: 1024 ** 3, chunksSha256: sha },
    ],
  },
};

it("tells a person everything about a snapshot, and lets nothing in it drive the terminal", () => {
  expect(renderSnapshotDetails(details, nowMs)).toMatchInlineSnapshot(`
    "ID           3f9a1c2b4d5e6f70
    Name         golden
    Description  after the first request
    VM           web (77aa)
    Created      2026-03-01T10:00:00.000Z (2 hours ago)
    Origin       imported
    Backend      cloud-hypervisor
    VMM          v53.0, x64
    CPUs         2
    Memory       1G
    NICs         0
    Size         2G (300M on the disk)
    Directory    /var/lib/silk/snapshots/3f9a1c2b4d5e6f70
    Boot
      Kernel   /boot/vmlinux
      Cmdline  console=hvc0
    Disks
      ROLE   ACCESS     SERIAL  FILE     PATH
      cow    writable   c       cow.raw  /vms/77aa/cow.raw
      layer  read-only  -       -        /evil�[2J
    Files
      NAME           SIZE
      cow.raw          1G
      memory-ranges    1G
    Needs on the host
      PATH           CONTENT
      /boot/vmlinux  checked
      /evil�[2J      not checked
    Labels
      team  web
    Used by
      ID    NAME
      88bb  web-1
    "
  `);
});

it("leaves out what there is not", () => {
  const { manifest } = details;
  const text = renderSnapshotDetails(
    {
      ...details,
      description: "",
      imported: false,
      usedBy: [],
      manifest: { ...manifest, externals: [] },
    },
    nowMs,
  );
  for (const word of ["Description", "Origin", "Used by", "Needs on the host"])
    expect(text).not.toContain(word);
});

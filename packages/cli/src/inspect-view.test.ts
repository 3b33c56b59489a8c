import type { VmView } from "@silkvm/core";
import { expect, it } from "vitest";
import { renderVmView, snapshotsOf } from "./inspect-view.ts";

const nowMs = Date.parse("2026-03-01T12:00:00.000Z");
const vm: VmView = {
  seq: 1,
  id: "3f9a1c2b4d5e6f70",
  name: "web",
  backend: "cloud-hypervisor",
  state: "running",
  config: {
    cpus: 2,
    memoryBytes: 1024 ** 3,
    storageBytes: 0,
    netQueueSize: 0,
    diskQueueSize: 0,
    noDirectIo: false,
    windows: false,
    sharedMemory: true,
    hugepages: false,
  },
  boot: { kind: "direct", kernelPath: "/boot/vmlinux", cmdline: "console=hvc0" },
  disks: [{ path: "/images/root.raw", role: "data", readonly: false, serial: "root" }],
  nics: [],
  labels: { note: "two\nlines \u001b[2J" },
  imageBlobIds: [],
  snapshotIds: [],
  firstBooted: true,
  createdAt: "2026-03-01T10:00:00.000Z",
  updatedAt: "2026-03-01T11:00:00.000Z",
  runtime: {
    vmm: { bootId: "b", pid: 4242, startTime: 1 },
    vmmVersion: "v53.0",
    apiSocketPath: "/run/silk/s/web/api.sock",
    startedAt: "2026-03-01T11:00:00.000Z",
  },
  observed: { vmm: "running", memoryBytes: 512 * 1024 ** 2 },
  paths: {
    dataDir: "/var/lib/silk/vms/web",
    runDir: "/run/silk/s/web",
    logPath: "/var/log/silk/web.log",
    apiSocketPath: "/run/silk/s/web/api.sock",
    consoleSocketPath: "/run/silk/s/web/console.sock",
  },
};

it("tells of devices that were attached while it runs", () => {
  const backup = {
    kind: "disk",
    id: "silk-disk-backup",
    data: { path: "/images/\u001b[2Jb.raw", name: "backup", readonly: false },
    state: "attached",
    keep: true,
  } as const;
  expect(renderVmView({ ...vm, attachments: [backup] }, nowMs)).toContain(
    [
      "Attached",
      "  ID                KIND  STATE     KEEP  WHAT",
      "  silk-disk-backup  disk  attached  yes   path=/images/�[2Jb.raw name=backup readonly=false",
    ].join("\n"),
  );
});

it("tells a person everything about a VM, and lets no label drive the terminal", () => {
  expect(renderVmView(vm, nowMs)).toMatchInlineSnapshot(`
    "ID       3f9a1c2b4d5e6f70
    Name     web
    State    running
    Backend  cloud-hypervisor
    VMM      v53.0, process 4242, running
    CPUs     2
    Memory   1G (512M now)
    Options  shared memory
    Created  2026-03-01T10:00:00.000Z (2 hours ago)
    Uptime   1 hour
    Boot
      Kernel   /boot/vmlinux
      Cmdline  console=hvc0
    Disks
      ROLE  ACCESS    SERIAL  PATH
      data  writable  root    /images/root.raw
    Labels
      note  two lines �[2J
    Paths
      Data        /var/lib/silk/vms/web
      Run         /run/silk/s/web
      Log         /var/log/silk/web.log
      API socket  /run/silk/s/web/api.sock
    "
  `);
});

it("tells why a VM is in error, and what is being done with it", () => {
  const { runtime: _runtime, ...rest } = vm;
  const text = renderVmView(
    {
      ...rest,
      state: "error",
      problem: { code: "VMM_EXITED", message: "the VMM ended", at: "2026-03-01T11:00:00.000Z" },
      operation: { verb: "start", pid: 7, startedAt: "2026-03-01T11:59:00.000Z" },
      observed: { vmm: "absent" },
    },
    nowMs,
  );
  expect(text).toContain("Problem    the VMM ended (VMM_EXITED)\n");
  expect(text).toContain(
    "Operation  start, by process 7 since 2026-03-01T11:59:00.000Z (1 minute ago)\n",
  );
  expect(text).toContain("VMM        absent\n");
});

it("tells where a VM came from, how it got its memory, and what it cannot do because of that", () => {
  const memory = {
    snapshotId: "s2",
    requested: "auto",
    used: "cow",
    reason: "the snapshot's file can be shared",
    limits: ["Its memory cannot be resized.", "It takes no shared directories."],
  } as const;
  const runtime = { ...(vm.runtime as NonNullable<VmView["runtime"]>), memory };
  const text = renderVmView(
    { ...vm, runtime, snapshotIds: ["s1", "s2"], parentSnapshotId: "s2" },
    nowMs,
    new Map([["s2", "golden"]]),
  );
  expect(text).toContain("Parent     golden (s2)\n");
  expect(text).toContain("Snapshots  not here (s1), golden (s2)\n");
  expect(text).toContain(
    [
      "Restored",
      "  From    golden (s2)",
      "  Memory  mapped copy-on-write (cow; asked for: auto)",
      "  Why     the snapshot's file can be shared",
      "  Limits  Its memory cannot be resized.",
      "          It takes no shared directories.",
      "",
    ].join("\n"),
  );
});

it("tells that a VM hibernates, and how to wake it", () => {
  const { runtime: _runtime, ...rest } = vm;
  const hibernated: VmView = { ...rest, state: "stopped", hibernatedIn: "s3" };
  expect(renderVmView(hibernated, nowMs, new Map([["s3", "web-3"]]))).toContain(
    "Hibernated  in web-3 (s3); `silk vm wake web` goes on from there\n",
  );
  expect(snapshotsOf(hibernated)).toEqual(new Set(["s3"]));
});

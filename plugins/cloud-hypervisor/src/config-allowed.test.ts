import { describe, expect, it } from "vitest";
import { snapshotDocuments } from "../test/snapshot-texts.ts";
import { checkAllowed } from "./config-allowed.ts";

const configWith = (config: Readonly<Record<string, unknown>>) =>
  snapshotDocuments({ config }).config;

const disk = { id: "_disk0", path: "/d", readonly: true, image_type: "Raw" };
const nic = { id: "_net1", tap: "tap0" };

describe("a snapshot's config", () => {
  it("is let in where it holds what silk sets", () => {
    expect(() => checkAllowed(snapshotDocuments().config)).not.toThrow();
  });

  it("is let in with flags and numbers of later versions, which reach nothing", () => {
    const config = configWith({ cpus: { boot_vcpus: 1, later: { flag: true, numbers: [1] } } });
    expect(() => checkAllowed(config)).not.toThrow();
  });

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ["devices", { devices: [{ id: "gpu", path: "/sys/bus/pci/devices/0000:01:00.0" }] }],
    ["user_devices", { user_devices: [{ id: "u", socket: "/s" }] }],
    ["fs", { fs: [{ id: "f", tag: "t", socket: "/s" }] }],
    ["vdpa", { vdpa: [{ id: "v", path: "/dev/vhost-vdpa-0" }] }],
    ["pmem", { pmem: [{ id: "p", file: "/etc/shadow" }] }],
    ["vsock", { vsock: { id: "v", cid: 3, socket: "/s" } }],
    ["tpm", { tpm: { socket: "/s" } }],
    ["landlock_rules", { landlock_rules: [{ path: "/", access: "rw" }] }],
    ["of_a_later_version", { of_a_later_version: { path: "/etc/shadow" } }],
    ["landlock_enable", { landlock_enable: true }],
    ["rng.src", { rng: { src: "/etc/shadow" } }],
    ["debug_console.mode", { debug_console: { mode: "File", iobase: 233 } }],
    ["debug_console.file", { debug_console: { mode: "Off", file: "/etc/passwd" } }],
    ["serial.file", { serial: { mode: "File", file: "/etc/passwd" } }],
    ["console.socket", { console: { mode: "Pty", socket: "/s" } }],
    ["memory.zones", { memory: { size: 0, zones: [{ id: "mem0", file: "/etc/shadow" }] } }],
    ["payload.igvm", { payload: { kernel: "/k", igvm: "/x" } }],
    ["payload.host_data", { payload: { kernel: "/k", host_data: "x" } }],
    ["disks.vhost_user", { disks: [{ ...disk, vhost_user: true }] }],
    ["disks.vhost_socket", { disks: [{ ...disk, vhost_socket: "s" }] }],
    ["disks.later", { disks: [{ ...disk, later: [{ path: "/x" }] }] }],
    ["disks.image_type", { disks: [{ ...disk, image_type: "Unknown" }] }],
    ["disks.id", { disks: [{ ...disk, id: "../x" }] }],
    ["net.vhost_user", { net: [{ ...nic, vhost_user: true }] }],
    ["net.vhost_socket", { net: [{ ...nic, vhost_socket: "s" }] }],
    ["net.fds", { net: [{ ...nic, fds: [3] }] }],
    ["cpus.affinity", { cpus: { boot_vcpus: 1, affinity: [{ vcpu: 0, host_cpus: [999] }] } }],
    ["cpus.topology", { cpus: { boot_vcpus: 1, topology: { threads_per_core: 0 } } }],
    ["disks.num_queues", { disks: [{ ...disk, num_queues: 2 }] }],
    ["disks.num_queues", { disks: [{ ...disk, num_queues: 0 }] }],
    ["disks.queue_size", { disks: [{ ...disk, queue_size: 3 }] }],
    ["disks.queue_size", { disks: [{ ...disk, queue_size: 65_536 }] }],
    ["net.num_queues", { net: [{ ...nic, num_queues: 4 }] }],
    ["net.queue_size", { net: [{ ...nic, queue_size: 1.5 }] }],
    ["net.ip", { net: [{ ...nic, ip: "10.0.0.1" }] }],
  ])("is refused with %s in it", (field, config) => {
    expect(() => checkAllowed(configWith(config))).toThrow(
      expect.objectContaining({ code: "SNAPSHOT_UNSUPPORTED", details: { field } }),
    );
  });
});

import { describe, expect, it } from "vitest";
import { toVmSpec } from "./vm-spec.ts";

const none = { "no-direct-io": false, "shared-memory": false, hugepages: false, windows: false };

describe("toVmSpec", () => {
  it("takes what the flags say and leaves the rest to the engine", () => {
    const spec = toVmSpec({
      ...none,
      name: "web",
      kernel: "vmlinux",
      initrd: "initrd",
      cpus: 2,
      memory: 1024,
      "queue-size": 256,
      label: ["team=web"],
      "no-direct-io": true,
    });
    expect(JSON.parse(JSON.stringify(spec))).toEqual({
      name: "web",
      boot: { kernel: "vmlinux", initrd: "initrd" },
      cpus: 2,
      memoryBytes: 1024,
      netQueueSize: 256,
      labels: { team: "web" },
      noDirectIo: true,
      sharedMemory: false,
      hugepages: false,
      windows: false,
    });
  });

  it("boots a firmware", () => {
    expect(toVmSpec({ ...none, firmware: "CLOUDHV.fd" }).boot).toEqual({ firmware: "CLOUDHV.fd" });
  });

  it("refuses nothing to boot, and two things", () => {
    expect(() => toVmSpec(none)).toThrow("a VM needs something to boot");
    expect(() => toVmSpec({ ...none, firmware: "f", kernel: "k" })).toThrow(
      "--firmware and --kernel do not go together",
    );
    expect(() => toVmSpec({ ...none, firmware: "f", cmdline: "x" })).toThrow(
      "--firmware and --cmdline do not go together",
    );
  });
});

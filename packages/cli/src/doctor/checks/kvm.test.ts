import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { defaultConfig } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, it } from "vitest";
import { examineHost, hostWith, refusal, showing, statOf } from "../../../test/patient.ts";
import { kvm } from "./kvm.ts";

const config = defaultConfig({}, 0);
const isUsable = await access("/dev/kvm", constants.R_OK | constants.W_OK).then(
  () => true,
  () => false,
);
const withoutKvm = (flags: string) =>
  hostWith({
    files: showing({
      "/dev/kvm": undefined,
      "/proc/cpuinfo": `vendor_id : GenuineIntel\nflags : ${flags}\n`,
    }),
    facts: { uid: 1000 },
  });

describe("the KVM check", () => {
  it.skipIf(!isUsable)("finds KVM on a host that has it", async () => {
    const { status, evidence } = await examineHost(kvm, linuxHost());
    expect(["ok", "warning"]).toContain(status);
    expect(evidence).toContain("/dev/kvm opens");
  });

  it("names the module to load where the CPU can and the device is not there", async () => {
    const outcome = await examineHost(kvm, withoutKvm("fpu vmx"));
    expect(outcome.status).toBe("failed");
    expect(outcome.evidence).toBe("there is no /dev/kvm");
    expect(outcome.fix?.command).toBe("sudo modprobe kvm_intel");
  });

  it("tells a VM without nested virtualization from a machine whose firmware has it off", async () => {
    const inVm = await examineHost(kvm, withoutKvm("fpu hypervisor"));
    expect(inVm.fix?.description).toContain("a VM without nested virtualization");
    const bare = await examineHost(
      kvm,
      hostWith({
        files: showing({ "/dev/kvm": undefined, "/proc/cpuinfo": "flags : fpu\n" }),
        facts: { arch: "x64" },
      }),
    );
    expect(bare.fix?.description).toContain("firmware");
  });

  it("is a warning where the default VMM does without KVM", async () => {
    const changes = { config: { ...config, chBinary: "/usr/bin/ch-sim" } };
    expect((await examineHost(kvm, withoutKvm("fpu"), changes)).status).toBe("warning");
    const other = { config: { ...config, backend: "qemu" } };
    expect((await examineHost(kvm, withoutKvm("fpu"), other)).status).toBe("warning");
  });

  it("lets a user who may not open the device into its group", async () => {
    const files = {
      ...showing({
        "/etc/group": "root:x:0:\nkvm:x:104:\n",
        "/proc/self/status": "Groups:\t1000\n",
      }),
      stat: async () => statOf("character-device", 0o660),
      readRange: refusal("EACCES"),
    };
    const outcome = await examineHost(kvm, hostWith({ files, facts: { uid: 1000 } }), {
      env: { USER: "ada" },
    });
    expect(outcome).toMatchObject({
      status: "failed",
      evidence: "this user may not open /dev/kvm (mode 660)",
      fix: { command: "sudo usermod -aG kvm ada", automatic: false },
    });
  });

  it("tells a user who joined the group in this session to log in again", async () => {
    const files = {
      ...showing({ "/etc/group": "kvm:x:104:bob,ada\n", "/proc/self/status": "Groups:\t1000\n" }),
      stat: async () => statOf("character-device", 0o660),
      readRange: refusal("EACCES"),
    };
    const outcome = await examineHost(kvm, hostWith({ files }), { env: { USER: "ada" } });
    expect(outcome.fix?.command).toBe("newgrp kvm");
  });

  it("knows a container that refuses the device whatever its permission bits say", async () => {
    const files = {
      stat: async () => statOf("character-device", 0o666),
      readRange: refusal("EPERM"),
    };
    const outcome = await examineHost(kvm, hostWith({ files }));
    expect(outcome.status).toBe("failed");
    expect(outcome.fix?.description).toContain("docker run --device /dev/kvm");
  });
});

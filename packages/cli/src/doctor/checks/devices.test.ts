import { linuxHost } from "@silkvm/sys";
import { describe, expect, it } from "vitest";
import {
  contextOf,
  examineHost,
  hostWith,
  patientAt,
  refusal,
  showing,
  statOf,
} from "../../../test/patient.ts";
import { hugepages } from "./hugepages.ts";
import { iommu } from "./iommu.ts";
import { tun } from "./tun.ts";
import { userfaultfd } from "./userfaultfd.ts";

const groups = "/sys/kernel/iommu_groups";
const driver = "/sys/bus/pci/drivers/vfio-pci";

describe("the checks of devices and the kernel", () => {
  it("come to a verdict on this host, whatever it is", async () => {
    for (const check of [hugepages, iommu, tun, userfaultfd]) {
      const outcome = await examineHost(check, linuxHost());
      expect(["ok", "warning"]).toContain(outcome.status);
      expect(outcome.evidence).not.toBe("");
      if (outcome.status === "warning")
        expect(outcome).toMatchObject({
          why: expect.any(String) as string,
          fix: { description: expect.any(String) as string },
        });
    }
  });
});

describe("the IOMMU check", () => {
  it("is content with groups and the driver", async () => {
    const files = showing({ [groups]: ["0", "1"], [driver]: [] });
    expect(await examineHost(iommu, hostWith({ files }))).toEqual({
      status: "ok",
      evidence: "2 groups, vfio-pci is there",
    });
  });

  it("offers to load the driver, by itself only as root", async () => {
    const files = showing({ [groups]: ["0"], [driver]: undefined });
    const asRoot = await examineHost(iommu, hostWith({ files, facts: { uid: 0 } }));
    expect(asRoot.fix).toMatchObject({ command: "modprobe vfio-pci", automatic: true });
    const asUser = await examineHost(iommu, hostWith({ files, facts: { uid: 1000 } }));
    expect(asUser.fix).toMatchObject({ command: "sudo modprobe vfio-pci", automatic: false });
  });

  it("loads the driver where it is asked to, and says why where that fails", async () => {
    const ran: string[][] = [];
    const host = (exitCode: number) =>
      hostWith({
        processes: {
          run: async ({ command, args }) => {
            ran.push([command, ...args]);
            return {
              exitCode,
              stdout: "",
              stderr: exitCode === 0 ? "" : "modprobe: FATAL: Module vfio-pci not found.\n",
            };
          },
        },
      });
    expect(await iommu.repair?.(await contextOf(patientAt("/nowhere", { host: host(0) })))).toBe(
      "loaded the module vfio-pci",
    );
    expect(ran).toEqual([["modprobe", "vfio-pci"]]);
    await expect(
      iommu.repair?.(await contextOf(patientAt("/nowhere", { host: host(1) }))),
    ).rejects.toThrow("Module vfio-pci not found");
  });

  it("says how it is turned on for the CPU that is there", async () => {
    const on = async (cpu: string) =>
      (
        await examineHost(
          iommu,
          hostWith({ files: showing({ [groups]: undefined, "/proc/cpuinfo": cpu }) }),
        )
      ).fix?.description;
    expect(await on("vendor_id : GenuineIntel\nflags : vmx")).toContain("intel_iommu=on");
    expect(await on("vendor_id : AuthenticAMD\nflags : svm")).toContain("AMD-Vi");
    expect(await on("vendor_id : AuthenticAMD\nflags : svm hypervisor")).toContain("virtual IOMMU");
  });
});

describe("the TAP check", () => {
  it("offers to load the module where there is no device", async () => {
    const files = showing({ "/dev/net/tun": undefined });
    expect(await examineHost(tun, hostWith({ files, facts: { uid: 0 } }))).toMatchObject({
      status: "warning",
      fix: { command: "modprobe tun", automatic: true },
    });
  });

  it("warns a user who may open the device and may still make no network devices", async () => {
    const files = {
      ...showing({ "/proc/self/status": "CapEff:\t0000000000000000\n" }),
      stat: async () => statOf("character-device", 0o666),
      readRange: async () => new Uint8Array(),
      canAccess: async () => true,
    };
    expect((await examineHost(tun, hostWith({ files }))).evidence).toContain(
      "may not make network devices",
    );
  });

  it("warns where the device may not be opened", async () => {
    const files = {
      stat: async () => statOf("character-device", 0o600),
      readRange: refusal("EACCES"),
    };
    expect((await examineHost(tun, hostWith({ files }))).evidence).toBe(
      "this user may not open /dev/net/tun",
    );
  });
});

describe("the userfaultfd check", () => {
  const setting = "/proc/sys/vm/unprivileged_userfaultfd";
  const noDevice = { "/dev/userfaultfd": undefined };
  const noCapability = "CapEff:\t0000000000000000\n";

  it("accepts the setting and the capability", async () => {
    const bySetting = showing({ ...noDevice, [setting]: "1\n" });
    expect((await examineHost(userfaultfd, hostWith({ files: bySetting }))).status).toBe("ok");
    const byCapability = showing({
      ...noDevice,
      [setting]: "0\n",
      "/proc/self/status": "CapEff:\t0000000000080000\n",
    });
    expect((await examineHost(userfaultfd, hostWith({ files: byCapability }))).status).toBe("ok");
  });

  it("gives the setting's command where neither is there, and never sets it by itself", async () => {
    const files = showing({ ...noDevice, [setting]: "0\n", "/proc/self/status": noCapability });
    expect(await examineHost(userfaultfd, hostWith({ files, facts: { uid: 1000 } }))).toMatchObject(
      {
        status: "warning",
        fix: { command: "sudo sysctl -w vm.unprivileged_userfaultfd=1", automatic: false },
      },
    );
  });

  it("knows a kernel without it", async () => {
    const files = showing({ ...noDevice, [setting]: undefined });
    expect(await examineHost(userfaultfd, hostWith({ files }))).toMatchObject({
      status: "warning",
      evidence: "this kernel has none",
    });
  });
});

describe("the huge pages check", () => {
  const pool = "/sys/kernel/mm/hugepages/hugepages-2048kB";
  const kernel = (reserved: string, free: string) =>
    hostWith({
      files: showing({
        "/sys/kernel/mm/hugepages": ["hugepages-2048kB"],
        [`${pool}/nr_hugepages`]: reserved,
        [`${pool}/free_hugepages`]: free,
        "/sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n",
      }),
      facts: { uid: 0 },
    });

  it("finds nothing wrong with none", async () => {
    expect(await examineHost(hugepages, kernel("0\n", "0\n"))).toMatchObject({
      status: "ok",
      evidence: expect.stringContaining("none reserved") as string,
    });
  });

  it("counts what is free", async () => {
    expect((await examineHost(hugepages, kernel("512\n", "100\n"))).evidence).toBe(
      "100 of 512 free (2M each); transparent ones: madvise",
    );
  });

  it("warns where all are in use, and leaves it to the user to reserve more", async () => {
    expect(await examineHost(hugepages, kernel("512\n", "0\n"))).toMatchObject({
      status: "warning",
      fix: { command: "sysctl -w vm.nr_hugepages=1024", automatic: false },
    });
  });
});

import { existsSync } from "node:fs";
import type { Host } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, it } from "vitest";
import {
  contextOf,
  debian,
  hostWith,
  patientAt,
  temporaryDirectory,
} from "../../../test/patient.ts";
import type { Check, Outcome } from "../finding.ts";
import { busybox, containerKernel } from "./containers.ts";

async function examine(check: Check, host: Host): Promise<Outcome> {
  await using directory = await temporaryDirectory();
  const patient = patientAt(directory.path, { host });
  return await check.run(await contextOf(patient, { distribution: debian }));
}

const noKernels: Host = hostWith({
  files: { list: async () => [] },
  facts: { uid: 1000, arch: "x64" },
});

describe("the check of the kernel for containers", () => {
  it("tells of this host what `silk image kernels` does", async () => {
    const { status, evidence } = await examine(containerKernel, linuxHost());
    if (status === "ok") expect(existsSync(/^.+, at (\/.+)$/.exec(evidence)?.[1] ?? "")).toBe(true);
    else expect(evidence).toMatch(/kernel|there is none/);
  });

  it("warns where there is none, and says which package has one", async () => {
    expect(await examine(containerKernel, noKernels)).toMatchObject({
      status: "warning",
      evidence: "there is none in /boot, and none was imported",
      fix: { command: "sudo apt-get install linux-image-cloud-amd64", automatic: false },
    });
  });

  it("warns of one that this user may not read, and says how he may", async () => {
    const host = hostWith({
      files: {
        list: async (path) => (path === "/boot" ? ["vmlinuz-6.8.0-31-generic"] : []),
        canAccess: async (path) => !path.startsWith("/boot/"),
      },
      facts: { uid: 1000 },
    });
    expect(await examine(containerKernel, host)).toMatchObject({
      status: "warning",
      evidence: "the kernel /boot/vmlinuz-6.8.0-31-generic cannot be read by this user",
      fix: { command: "sudo chmod a+r /boot/vmlinuz-6.8.0-31-generic" },
    });
  });
});

describe("the check of the busybox", () => {
  it("warns where there is none, and says which package has it", async () => {
    const host = hostWith({ processes: { which: async () => undefined }, facts: { uid: 0 } });
    expect(await examine(busybox, host)).toMatchObject({
      status: "warning",
      evidence: "there is no busybox on this machine",
      fix: { command: "apt-get install busybox-static" },
    });
  });

  it("is not content with another program", async () => {
    const host = hostWith({ processes: { which: async () => process.execPath } });
    expect(await examine(busybox, host)).toMatchObject({
      status: "warning",
      evidence: expect.stringContaining(process.execPath) as string,
    });
  });
});

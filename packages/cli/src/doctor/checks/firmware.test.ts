import { createEngine, definePlugin, type Hypervisor, SilkError } from "@silkvm/core";
import { describe, expect, it } from "vitest";
import { contextOf, hostWith, patientAt, temporaryDirectory } from "../../../test/patient.ts";
import type { Outcome } from "../finding.ts";
import { firmware } from "./firmware.ts";

/** What is found where the default backend looks for firmware like this. */
async function examine(backend: Partial<Hypervisor>): Promise<Outcome> {
  await using directory = await temporaryDirectory();
  const host = hostWith({});
  const patient = patientAt(directory.path);
  const name = "cloud-hypervisor";
  const open = async () =>
    ({ name, ...backend, [Symbol.asyncDispose]: async () => {} }) as unknown as Hypervisor;
  const plugin = definePlugin({
    name: "test",
    apiVersion: 1,
    backends: [{ name, description: "", open }],
  });
  await using engine = await createEngine({ host, plugins: [plugin], config: patient.config });
  return await firmware.run(await contextOf(patientAt(directory.path, { host, engine })));
}

describe("the check of the firmware", () => {
  it("tells which one VMs of cloud images get", async () => {
    const findFirmware = async () => "/usr/share/cloud-hypervisor/CLOUDHV.fd";
    expect(await examine({ findFirmware })).toEqual({
      status: "ok",
      evidence: "/usr/share/cloud-hypervisor/CLOUDHV.fd",
    });
  });

  it("warns where there is none, with the backend's own advice", async () => {
    const found = await examine({ findFirmware: async () => undefined, firmwareHint: "Get one." });
    expect(found).toMatchObject({
      status: "warning",
      evidence: "cloud-hypervisor finds none",
      fix: { description: "Get one.", automatic: false },
    });
  });

  it("warns where the settings name one that is not there", async () => {
    const findFirmware = () =>
      Promise.reject(
        new SilkError("there is no firmware /f", { code: "FIRMWARE_MISSING", kind: "unavailable" }),
      );
    expect(await examine({ findFirmware })).toMatchObject({
      status: "warning",
      evidence: "there is no firmware /f",
    });
  });

  it("is skipped where the backend looks for none, and where there is no backend", async () => {
    expect(await examine({})).toMatchObject({ status: "skipped" });
    await using directory = await temporaryDirectory();
    const context = await contextOf(patientAt(directory.path));
    expect(await firmware.run(context)).toMatchObject({ status: "skipped" });
  });
});

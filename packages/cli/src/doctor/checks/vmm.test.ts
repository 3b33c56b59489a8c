import {
  createEngine,
  definePlugin,
  type Hypervisor,
  SilkError,
  type VmmProbe,
} from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, it } from "vitest";
import { contextOf, hostWith, patientAt, temporaryDirectory } from "../../../test/patient.ts";
import type { Outcome } from "../finding.ts";
import { vmm } from "./vmm.ts";

/** What is found of a backend whose VMM answers so. */
async function examineBackend(name: string, probe: () => Promise<VmmProbe>): Promise<Outcome> {
  await using directory = await temporaryDirectory();
  const host = hostWith({ facts: { uid: 1000, arch: "x64" } });
  const open = async () =>
    ({ name, probe, [Symbol.asyncDispose]: async () => {} }) as unknown as Hypervisor;
  const plugin = definePlugin({
    name: "test",
    apiVersion: 1,
    backends: [{ name, description: "", open }],
  });
  const { config } = patientAt(directory.path);
  const chosen = { ...config, backend: "cloud-hypervisor" };
  await using engine = await createEngine({ host, plugins: [plugin], config: chosen });
  const patient = patientAt(directory.path, { host, engine, config: chosen });
  return await vmm(name).run(await contextOf(patient));
}

const failing = (code: string, hint?: string) => () =>
  Promise.reject(
    new SilkError("cloud-hypervisor is not there", { code, kind: "unavailable", hint }),
  );

describe("the check of a VMM", () => {
  it("tells the version, the path and what the VMM can do", async () => {
    const outcome = await examineBackend("cloud-hypervisor", async () => ({
      path: "/usr/bin/cloud-hypervisor",
      version: "v53.0",
      capabilities: ["vfio", "virtiofs"],
      notes: ["features: io_uring"],
    }));
    expect(outcome).toEqual({
      status: "ok",
      evidence: "v53.0 at /usr/bin/cloud-hypervisor; features: io_uring; can do vfio, virtiofs",
    });
  });

  it("gives the command that installs Cloud Hypervisor where it is missing or too old", async () => {
    for (const code of ["VMM_NOT_FOUND", "VMM_TOO_OLD"]) {
      const outcome = await examineBackend("cloud-hypervisor", failing(code, "Install it."));
      expect(outcome).toMatchObject({
        status: "failed",
        evidence: "cloud-hypervisor is not there",
        fix: { description: "Install it." },
      });
      expect(outcome.fix?.command).toMatch(
        /^sudo curl -fLo \/usr\/local\/bin\/cloud-hypervisor https:\S+\/cloud-hypervisor-static && sudo chmod 755 /,
      );
    }
  });

  it("is a warning for a backend that is not the default, and nothing where its VMM is not installed", async () => {
    expect((await examineBackend("other", failing("VMM_TOO_OLD"))).status).toBe("warning");
    expect(await examineBackend("other", failing("VMM_NOT_FOUND"))).toEqual({
      status: "skipped",
      evidence: "cloud-hypervisor is not there; VMs run on cloud-hypervisor",
    });
  });

  it("leaves it to the KVM check to complain where the VMM only lacks KVM", async () => {
    const outcome = await examineBackend("cloud-hypervisor", failing("KVM_UNAVAILABLE"));
    expect(outcome.status).toBe("skipped");
    expect(outcome.evidence).toMatch(/not asked: KVM cannot be used$/);
  });

  it("fails where there is no engine to ask", async () => {
    const context = await contextOf(patientAt("/nowhere", { host: linuxHost() }));
    expect(await vmm("cloud-hypervisor").run(context)).toMatchObject({ status: "failed" });
  });
});

import { describe, expect, it } from "vitest";
import { contextOf, patientAt } from "../../../test/patient.ts";
import type { Outcome } from "../finding.ts";
import { backend } from "./backend.ts";

async function examine(choice: {
  name: string;
  reason: string;
  isSubstitute: boolean;
}): Promise<Outcome> {
  return await backend.run(await contextOf(patientAt("/nowhere"), { choice }));
}

describe("the check of the default backend", () => {
  it("tells which backend VMs get, and why", async () => {
    const choice = { name: "cloud-hypervisor", reason: "it is on PATH", isSubstitute: false };
    expect(await examine(choice)).toEqual({
      status: "ok",
      evidence: "cloud-hypervisor: it is on PATH",
    });
  });

  it("warns where one stands in for another that cannot run VMs here", async () => {
    const reason = "qemu is on PATH; cloud-hypervisor cannot: this host has no KVM";
    expect(await examine({ name: "qemu", reason, isSubstitute: true })).toMatchObject({
      status: "warning",
      evidence: `qemu: ${reason}`,
      fix: { command: "silk config set backend qemu", automatic: false },
    });
  });

  it("is skipped where there is no engine to ask", async () => {
    expect(await backend.run(await contextOf(patientAt("/nowhere")))).toMatchObject({
      status: "skipped",
    });
  });
});

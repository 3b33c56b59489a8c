import { createEngine } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, it } from "vitest";
import { contextOf, patientAt, temporaryDirectory } from "../../../test/patient.ts";
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

  it("leaves it to the check of plugins to complain of one that no plugin brings", async () => {
    await using directory = await temporaryDirectory();
    const host = linuxHost();
    const { config } = patientAt(directory.path);
    await using engine = await createEngine({ host, plugins: [], config });
    const choice = { name: "nobody", reason: "the setting backend says so", isSubstitute: false };
    const context = await contextOf(patientAt(directory.path, { host, engine }), { choice });
    expect(await backend.run(context)).toEqual({
      status: "skipped",
      evidence: "nobody: the setting backend says so, and no plugin brings it",
    });
  });

  it("is skipped where there is no engine to ask", async () => {
    expect(await backend.run(await contextOf(patientAt("/nowhere")))).toMatchObject({
      status: "skipped",
    });
  });
});

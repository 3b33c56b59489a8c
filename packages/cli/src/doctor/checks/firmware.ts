import { isSilkError } from "@silkvm/core";
import { defaultBackend } from "../context.ts";
import type { Check, Outcome } from "../finding.ts";

const why = "Cloud images boot by UEFI firmware; kernels and OCI images need none.";

/** Whether there is a firmware for VMs of cloud images, and which. */
export const firmware: Check = {
  id: "firmware",
  title: "UEFI firmware",
  group: "Virtualization",
  atWorst: "warning",
  async run(context) {
    const { engine, signal } = context;
    const name = defaultBackend(context);
    if (engine === undefined || !engine.backends.includes(name))
      return {
        status: "skipped",
        evidence: `not looked for: there is no backend ${name}`,
      };
    const backend = await engine.backend(name);
    if (backend.findFirmware === undefined)
      return { status: "skipped", evidence: `the backend ${backend.name} looks for none` };
    const missing = (evidence: string, hint: string | undefined): Outcome => ({
      status: "warning",
      evidence,
      why,
      fix: { description: hint ?? "Name one with --firmware FILE.", automatic: false },
    });
    try {
      const path = await backend.findFirmware({ signal });
      if (path !== undefined) return { status: "ok", evidence: path };
      return missing(`${backend.name} finds none`, backend.firmwareHint);
    } catch (error) {
      if (isSilkError(error) && error.code === "FIRMWARE_MISSING")
        return missing(error.message, error.hint);
      throw error;
    }
  },
};

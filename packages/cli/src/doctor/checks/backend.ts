import { defaultBackend } from "../context.ts";
import type { Check } from "../finding.ts";

/** Which backend VMs get that name none, and why. */
export const backend: Check = {
  id: "backend",
  title: "default backend",
  group: "Virtualization",
  atWorst: "warning",
  async run(context) {
    const { choice, engine } = context;
    if (choice === undefined)
      return { status: "skipped", evidence: "there is no engine that could choose one" };
    const evidence = `${defaultBackend(context)}: ${choice.reason}`;
    // That is the plugins' own check's to complain of.
    if (engine?.backends.includes(choice.name) === false)
      return { status: "skipped", evidence: `${evidence}, and no plugin brings it` };
    if (!choice.isSubstitute) return { status: "ok", evidence };
    return {
      status: "warning",
      evidence,
      why: "VMs that name no backend get another one than they would on a host with all that silk can use.",
      fix: {
        command: `silk config set backend ${choice.name}`,
        description: "Mend what the other one lacks, or make this one your choice.",
        automatic: false,
      },
    };
  },
};

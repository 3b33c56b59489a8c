import { probeDevice } from "../device.ts";
import { asRoot } from "../distribution.ts";
import type { Check } from "../finding.ts";
import { hasCapability, readKernelFile } from "../proc.ts";

const setting = "/proc/sys/vm/unprivileged_userfaultfd";

/** Whether a VMM of this user may serve its guest's page faults. */
export const userfaultfd: Check = {
  id: "userfaultfd",
  title: "userfaultfd",
  group: "Virtualization",
  atWorst: "warning",
  async run({ host }) {
    const { files, facts } = host;
    const why =
      "A snapshot's memory can be restored on demand only where the VMM may use it; a restore by copy needs none of it.";
    const device = await probeDevice(files, "/dev/userfaultfd");
    if (device.kind === "usable") return { status: "ok", evidence: "/dev/userfaultfd opens" };
    const value = await readKernelFile(files, setting);
    if (value === undefined)
      return {
        status: "warning",
        evidence: "this kernel has none",
        why,
        fix: { description: "Boot a kernel with CONFIG_USERFAULTFD.", automatic: false },
      };
    if (value === "1") return { status: "ok", evidence: "every user may use it" };
    if (await hasCapability(files, "CAP_SYS_PTRACE"))
      return { status: "ok", evidence: "this user may use it (CAP_SYS_PTRACE)" };
    return {
      status: "warning",
      evidence: "this user may not use it",
      why,
      fix: {
        command: asRoot("sysctl -w vm.unprivileged_userfaultfd=1", facts.uid),
        description: "Let every user use it; a file in /etc/sysctl.d makes that last.",
        automatic: false,
      },
    };
  },
};

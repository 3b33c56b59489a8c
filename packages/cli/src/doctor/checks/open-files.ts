import type { Check } from "../finding.ts";
import { readKernelFile } from "../proc.ts";

const enough = 4_096;
const wanted = 65_536;

/** Whether silk, and the VMMs which inherit its limit, may open enough files. */
export const openFiles: Check = {
  id: "open-files",
  title: "open files",
  group: "silk",
  atWorst: "warning",
  async run({ host }) {
    const limits = await readKernelFile(host.files, "/proc/self/limits");
    const found = /^Max open files\s+(\S+)/m.exec(limits ?? "")?.[1];
    if (found === undefined)
      return { status: "skipped", evidence: "/proc/self/limits does not tell" };
    const evidence = `at most ${found} in one process`;
    if (found === "unlimited" || Number(found) >= enough) return { status: "ok", evidence };
    return {
      status: "warning",
      evidence,
      why: "A VMM opens several files for each disk, NIC and CPU of its VM, and silk some for each VM that it works on.",
      fix: {
        command: `ulimit -n ${wanted}`,
        description:
          "Raise the limit; in /etc/security/limits.conf, or LimitNOFILE of a systemd unit, it lasts.",
        automatic: false,
      },
    };
  },
};

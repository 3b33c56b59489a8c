import { join } from "node:path";
import type { Check } from "../finding.ts";

/** `sun_path` of a Unix socket's address holds 108 bytes, the last one a zero. */
const longestBytes = 107;
/** As an engine lays out its run directory: its scope, the VM's id, the longest name of a socket. */
const scope = "0".repeat(8);
const socket = "console.sock";
const ownIdLength = 16;

/** Whether the paths of the VMMs' sockets are short enough for the kernel. */
export const socketPath: Check = {
  id: "socket-path",
  title: "socket paths",
  group: "Directories",
  async run({ config }) {
    const bytes = Buffer.byteLength(join(config.runDir, scope, "0".repeat(ownIdLength), socket));
    const evidence = `${bytes} of ${longestBytes} bytes used below ${config.runDir}`;
    if (bytes <= longestBytes)
      return {
        status: "ok",
        evidence: `${evidence}, ids may have ${Math.min(63, ownIdLength + longestBytes - bytes)} characters`,
      };
    return {
      status: "failed",
      evidence,
      why: "The kernel takes no longer path for a socket: no VM can be started.",
      fix: {
        command: "silk config set runDir /run/silk",
        description:
          "Name a run directory with a shorter path, with --run-dir or in the configuration.",
        automatic: false,
      },
    };
  },
};

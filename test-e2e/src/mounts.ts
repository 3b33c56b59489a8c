import { spawnSync } from "node:child_process";

/** Whether this process may mount file systems, in a mount namespace of its own. */
export const canMount: boolean =
  spawnSync("unshare", ["--mount", "true"], { stdio: "ignore" }).status === 0;

/** Words that run a command after some shell lines, in a mount namespace of its own: what is mounted there ends with it. */
export function inMountNamespace(script: string): readonly string[] {
  return [
    "unshare",
    "--mount",
    "--propagation",
    "private",
    "sh",
    "-ec",
    `${script}; exec "$0" "$@"`,
  ];
}

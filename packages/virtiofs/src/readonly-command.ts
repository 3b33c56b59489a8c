import { type Host, SilkError } from "@silkvm/core";
import type { ServerCommand } from "./server-command.ts";

/**
 * Mounts a directory over itself, read-only, with all that is mounted below it, and goes on as the program that follows. A path in mountinfo has its
 * blanks and backslashes as octal numbers; the dot keeps a newline at its end.
 */
const script = `set -eu
dir=$1; shift
mount --rbind -- "$dir" "$dir"
while read -r _ _ _ _ point _; do
  point=$(printf '%b.' "$point"); point=\${point%.}
  case "$point" in "$dir"|"$dir"/*) mount -o remount,bind,ro -- "$point" ;; esac
done < /proc/self/mountinfo
exec "$@"`;

/**
 * Makes a directory read-only for one program alone, in a mount namespace of its own: the program stays the same process, and nobody else sees a mount.
 * @throws SilkError `UNSHARE_NOT_FOUND`
 */
export async function readonlyCommand(
  { processes }: Host,
  dir: string,
  { command, args }: ServerCommand,
): Promise<ServerCommand> {
  const unshare = await processes.which("unshare");
  if (unshare === undefined)
    throw new SilkError("a read-only share needs the program `unshare`, which is not there", {
      code: "UNSHARE_NOT_FOUND",
      kind: "unavailable",
      hint: "Install util-linux, or virtiofsd 1.13 or newer, which does without it.",
    });
  const shell = ["/bin/sh", "-c", script, "sh", dir, command, ...args];
  return { command: unshare, args: ["--mount", "--propagation", "private", "--", ...shell] };
}

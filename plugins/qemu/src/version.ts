import { SilkError } from "@silkvm/core";
import type { QmpVersion } from "./qmp/messages.ts";

/** That of Debian 12: older ones lack parts of the monitor's vocabulary. */
const oldest = { major: 7, minor: 2 } as const;

/** The version in `QEMU emulator version 7.2.22 (Debian …)` or `9.1.0`; undefined where there is none. */
export function parseVersion(text: string): QmpVersion | undefined {
  const found = /(?:^|[^\d.])(\d+)\.(\d+)\.(\d+)/.exec(text);
  if (found === null) return undefined;
  return { major: Number(found[1]), minor: Number(found[2]), micro: Number(found[3]) };
}

export function formatVersion({ major, minor, micro }: QmpVersion): string {
  return `${major}.${minor}.${micro}`;
}

/** Whether a version is at least another one. */
export function isAtLeast(
  version: Pick<QmpVersion, "major" | "minor">,
  { major, minor }: Pick<QmpVersion, "major" | "minor">,
): boolean {
  return version.major > major || (version.major === major && version.minor >= minor);
}

/** @throws SilkError `VMM_TOO_OLD` */
export function checkVersion(version: QmpVersion, path: string): void {
  if (isAtLeast(version, oldest)) return;
  const needed = `${oldest.major}.${oldest.minor}`;
  throw new SilkError(
    `${path} is QEMU ${formatVersion(version)}, and silk needs ${needed} or newer`,
    {
      code: "VMM_TOO_OLD",
      kind: "unsupported",
      hint: "Install a newer QEMU, or name one with SILK_QEMU_BINARY.",
      details: { path, version: formatVersion(version), oldest: needed },
    },
  );
}

import { SilkError } from "@silkvm/core";

/** Snapshots of older ones hold the whole memory, whatever of it was used. */
const oldest = 52;

/** The major version in `cloud-hypervisor v53.0-dirty` or `53.0.0`; undefined where there is none. */
export function majorVersion(version: string): number | undefined {
  const major = /(?:^|[^\d.])(?<major>\d+)\.\d+/.exec(version)?.groups?.["major"];
  return major === undefined ? undefined : Number(major);
}

/**
 * Refuses a VMM that is too old. One whose version says nothing, such as a build of somebody's own, is taken.
 * @throws SilkError `VMM_TOO_OLD`
 */
export function checkVersion(version: string, path: string): void {
  const major = majorVersion(version);
  if (major === undefined || major >= oldest) return;
  throw new SilkError(`${path} is ${version}, and silk needs v${oldest}.0 or newer`, {
    code: "VMM_TOO_OLD",
    kind: "unsupported",
    hint: "Install a newer cloud-hypervisor, or name one with SILK_CH_BINARY.",
    details: { path, version, oldest: `v${oldest}.0` },
  });
}

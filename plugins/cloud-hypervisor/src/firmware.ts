import { join } from "node:path";
import { type CallOptions, type Host, SilkError } from "@silkvm/core";
import type { Settings } from "./settings.ts";

/** Where firmware is looked for. */
export interface FirmwarePlaces {
  readonly host: Pick<Host, "files" | "facts">;
  readonly settings: Pick<Settings, "chFirmware" | "rootDir">;
}

/** What to do where there is no firmware. */
export const firmwareHint: string =
  "Install the package cloudhv-efi-x86-64 (Debian, from forky on); or put CLOUDHV.fd (https://github.com/cloud-hypervisor/edk2/releases) or hypervisor-fw (https://github.com/cloud-hypervisor/rust-hypervisor-firmware/releases) into /usr/share/cloud-hypervisor, or name it: --firmware FILE, or SILK_CH_FIRMWARE. QEMU's OVMF does not boot here.";

/** EDK II as Cloud Hypervisor's own project builds it: the first name is that of the releases, the second is in packages. */
const edk2Names: Readonly<Record<string, readonly string[]>> = {
  x64: ["CLOUDHV.fd", "CLOUDHV_EFI.fd"],
  arm64: ["CLOUDHV_EFI.fd"],
};
const smallName = "hypervisor-fw";

/** `make install` and people; the packages of Cloud Hypervisor's project; Debian's, of x86 alone; those of Fedora's users (Terra). */
const edk2Dirs = [
  "/usr/local/share/cloud-hypervisor",
  "/usr/share/cloud-hypervisor",
  "/usr/share/cloudhv-efi-x86-64",
  "/usr/share/edk2/cloud-hypervisor",
];
const smallDirs = [
  "/usr/local/share/cloud-hypervisor",
  "/usr/share/cloud-hypervisor",
  "/usr/local/bin",
  "/usr/bin",
];

/**
 * Finds the UEFI firmware for a VM that names none: the one that the settings name, else the first that is there. EDK II comes before the Rust hypervisor firmware, which boots Linux
 * alone; what is below silk's root directory was put there for silk, and comes before what a package brought. The OVMF that distributions ship for QEMU is for
 * another machine, and is never taken.
 * @throws SilkError `FIRMWARE_MISSING` where the settings name a file that is not there
 */
export async function findFirmware(
  places: FirmwarePlaces,
  { signal }: CallOptions = {},
): Promise<string | undefined> {
  const { host, settings } = places;
  const named = settings.chFirmware;
  for (const path of named === "" ? candidates(places) : [named]) {
    signal?.throwIfAborted();
    if ((await host.files.stat(path))?.kind === "file") return path;
  }
  if (named === "") return undefined;
  throw new SilkError(`there is no firmware ${named}, which the setting chFirmware names`, {
    code: "FIRMWARE_MISSING",
    kind: "unavailable",
    hint: "Name one that is there (silk config set chFirmware FILE), or let silk look for it: silk config unset chFirmware",
    details: { path: named },
  });
}

function candidates({ host, settings: { rootDir } }: FirmwarePlaces): readonly string[] {
  const { arch } = host.facts;
  const names = edk2Names[arch] ?? [];
  const small = arch === "x64" ? smallDirs.map((dir) => join(dir, smallName)) : [];
  const own = rootDir === undefined ? [] : [...names, ...(arch === "x64" ? [smallName] : [])];
  return [
    ...own.map((name) => join(rootDir as string, "firmware", name)),
    ...edk2Dirs.flatMap((dir) => names.map((name) => join(dir, name))),
    ...small,
  ];
}

import type { CallOptions, Host } from "@silkvm/core";

/** What to do where there is no firmware. */
export const firmwareHint =
  "Install UEFI for QEMU: the package ovmf (Debian, Ubuntu), edk2-ovmf (Fedora, Arch) or qemu-ovmf-x86_64 (openSUSE); or name a file: --firmware FILE.";

/** Where distributions put EDK II as QEMU's flash takes it, without Secure Boot. */
const candidates = [
  "/usr/share/OVMF/OVMF_CODE_4M.fd",
  "/usr/share/OVMF/OVMF_CODE.fd",
  "/usr/share/edk2/ovmf/OVMF_CODE.fd",
  "/usr/share/edk2/x64/OVMF_CODE.4m.fd",
  "/usr/share/qemu/ovmf-x86_64-code.bin",
];

/** Finds the UEFI firmware for a VM that names none: the first that is there. */
export async function findFirmware(
  { files }: Pick<Host, "files">,
  { signal }: CallOptions = {},
): Promise<string | undefined> {
  for (const path of candidates) {
    signal?.throwIfAborted();
    if ((await files.stat(path))?.kind === "file") return path;
  }
  return undefined;
}

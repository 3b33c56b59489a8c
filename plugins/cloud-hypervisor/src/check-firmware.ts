import { type Host, SilkError } from "@silkvm/core";

/** A volume of UEFI firmware, as it lies in a flash chip, has its signature here. */
const signatureAt = 40;
const signature = "_FVH";

/**
 * Checks that a firmware is not one for another VMM: on x86 the VMM boots programs (ELF), and the OVMF that is made for QEMU is an image of a flash chip. Elsewhere
 * it takes such images.
 * @throws SilkError `INVALID_FIRMWARE`
 */
export async function checkFirmware(host: Host, path: string): Promise<void> {
  if (host.facts.arch !== "x64") return;
  const buffer = Buffer.alloc(signatureAt + signature.length);
  await using file = await host.files.open(path, "read");
  await file.read(buffer, 0);
  if (buffer.toString("latin1", signatureAt) !== signature) return;
  throw new SilkError(
    `--firmware: ${path} is an OVMF for QEMU, which Cloud Hypervisor cannot boot`,
    {
      code: "INVALID_FIRMWARE",
      kind: "invalid",
      hint: "Name OVMF's build for Cloud Hypervisor (CLOUDHV.fd: Debian's package cloudhv-efi-x86-64, or https://github.com/cloud-hypervisor/edk2/releases), or leave --firmware out, for silk to look for one.",
      details: { flag: "--firmware", path },
    },
  );
}

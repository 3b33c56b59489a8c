import { closeSync, openSync } from "node:fs";
import type { CpuidEntry } from "@silkvm/core";
import { checked, libc } from "./libc.ts";

/** _IOWR(0xAE, 0x05, struct kvm_cpuid2) */
const KVM_GET_SUPPORTED_CPUID = 0xc008ae05;
/** As many as KVM ever tells. */
const mostEntries = 256;
const headerBytes = 8;
const entryBytes = 40;

/**
 * What KVM on this machine can give a guest of its CPU.
 * @throws SystemError where there is no KVM, no permission, or another architecture than x86
 */
export function kvmSupportedCpuid(): readonly CpuidEntry[] {
  const fd = openSync("/dev/kvm", "r+");
  try {
    const table = Buffer.alloc(headerBytes + mostEntries * entryBytes);
    table.writeUInt32LE(mostEntries, 0);
    checked("KVM_GET_SUPPORTED_CPUID", () =>
      libc().ioctl(fd, KVM_GET_SUPPORTED_CPUID, "void *", table),
    );
    return Array.from({ length: table.readUInt32LE(0) }, (_, index) => {
      const at = headerBytes + index * entryBytes;
      // The third word is about the entry itself.
      const [leaf, subleaf, eax, ebx, ecx, edx] = [0, 4, 12, 16, 20, 24].map((offset) =>
        table.readUInt32LE(at + offset),
      ) as [number, number, number, number, number, number];
      return { leaf, subleaf, eax, ebx, ecx, edx };
    });
  } finally {
    closeSync(fd);
  }
}

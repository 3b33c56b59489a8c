import type { HostFiles } from "@silkvm/core";

/** A file of the kernel's as trimmed text; undefined where this kernel has no such file or does not let us read it. */
export async function readKernelFile(files: HostFiles, path: string): Promise<string | undefined> {
  return (await files.readText(path).catch(() => undefined))?.trim();
}

/** Numbers of capabilities, of linux/capability.h. */
const capabilities = { CAP_NET_ADMIN: 12n, CAP_SYS_PTRACE: 19n } as const;

/** Whether this process has a capability now. */
export async function hasCapability(
  files: HostFiles,
  name: keyof typeof capabilities,
): Promise<boolean> {
  const status = await readKernelFile(files, "/proc/self/status");
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status ?? "")?.[1];
  return effective !== undefined && ((BigInt(`0x${effective}`) >> capabilities[name]) & 1n) === 1n;
}

/** What the first CPU says of itself. */
interface CpuFacts {
  readonly vendor: "intel" | "amd" | "other";
  readonly flags: ReadonlySet<string>;
}

export async function readCpu(files: HostFiles): Promise<CpuFacts> {
  const text = (await readKernelFile(files, "/proc/cpuinfo")) ?? "";
  const vendorId = /^vendor_id\s*:\s*(\S+)$/m.exec(text)?.[1];
  const flags = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(text)?.[1] ?? "";
  const vendor =
    vendorId === "GenuineIntel"
      ? "intel"
      : vendorId === "AuthenticAMD" || vendorId === "HygonGenuine"
        ? "amd"
        : "other";
  return { vendor, flags: new Set(flags.split(" ")) };
}

import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { cpu, guestCpuid, parseCpuInfo } from "./cpu.ts";

test("the CPU of x86 is told by vendor, model and flags, that of the first processor", () => {
  const text = `processor\t: 0
vendor_id\t: AuthenticAMD
model name\t: AMD EPYC 9654 96-Core Processor
flags\t\t: fpu vme avx2
power management: ts ttp

processor\t: 1
flags\t\t: none
`;
  expect(parseCpuInfo(text)).toEqual({
    vendor: "AuthenticAMD",
    model: "AMD EPYC 9654 96-Core Processor",
    flags: ["fpu", "vme", "avx2"],
  });
});

test("that of ARM is told, too, and one that tells nothing is empty", () => {
  const text = "processor\t: 0\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n";
  expect(parseCpuInfo(text)).toEqual({ vendor: "0x41", model: "0xd0c", flags: ["fp", "asimd"] });
  expect(parseCpuInfo("")).toEqual({ vendor: "", model: "", flags: [] });
});

test("this machine's has flags", () => {
  expect(cpu().flags.length).toBeGreaterThan(0);
});

test.skipIf(!existsSync("/dev/kvm") || process.arch !== "x64")(
  "a guest is given what every x86-64 CPU has, by KVM's name",
  () => {
    const leaf = (number: number) => guestCpuid()?.find((entry) => entry.leaf === number);
    // FPU, TSC, MSR, CX8, FXSR, SSE, SSE2.
    const everywhere = 0x0700_0131;
    expect((leaf(1)?.edx ?? 0) & everywhere).toBe(everywhere);
    expect(leaf(0x4000_0000)?.ebx).toBe(Buffer.from("KVMK").readUInt32LE());
  },
);

import { chmod, copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { findRealVmm } from "./real-vmm.ts";

describe("finding a real Cloud Hypervisor", () => {
  let dir: string;
  let program: string;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "silk-real-vmm-"));
    program = join(dir, "cloud-hypervisor");
    vi.stubEnv("SILK_CH_BINARY", program);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(dir, { recursive: true });
  });

  it("says which program is missing", () => {
    expect(findRealVmm()).toMatchObject({ reason: `${program} is not there, or not executable` });
    expect(findRealVmm()).not.toHaveProperty("chPath");
  });

  it("does not take a stand-in for it, though that answers alike", async () => {
    await writeFile(program, "#!/bin/sh\necho cloud-hypervisor v53.0\n");
    await chmod(program, 0o755);
    expect(findRealVmm().reason).toBe(`${program} is not Cloud Hypervisor itself, but a script`);
  });

  it("does not take another program for it", async () => {
    await copyFile("/bin/true", program);
    expect(findRealVmm().reason).toBe(
      `${program} does not tell its version as Cloud Hypervisor does`,
    );
  });

  it("looks on PATH when no program is named", () => {
    vi.stubEnv("SILK_CH_BINARY", undefined);
    vi.stubEnv("PATH", dir);
    expect(findRealVmm().reason).toBe("cloud-hypervisor is not there, or not executable");
  });
});

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { linuxHost } from "@silkvm/sys";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findFirmware, firmwareHint } from "./firmware.ts";

let rootDir: string;

beforeEach(async () => {
  rootDir = await mkdtemp(join(tmpdir(), "silk-firmware-"));
});
afterEach(async () => {
  await rm(rootDir, { recursive: true, force: true });
});

/** A host on which only these files of its own are there, besides those below the root directory. */
function hostWith(present: readonly string[], arch = "x64") {
  const real = linuxHost();
  const stat: typeof real.files.stat = async (path) => {
    if (path.startsWith(rootDir)) return await real.files.stat(path);
    return present.includes(path) ? await real.files.stat(import.meta.filename) : undefined;
  };
  return { files: { ...real.files, stat }, facts: { ...real.facts, arch } };
}

function find(present: readonly string[], { arch = "x64", chFirmware = "" } = {}) {
  return findFirmware({ host: hostWith(present, arch), settings: { chFirmware, rootDir } });
}

async function own(name: string): Promise<string> {
  await mkdir(join(rootDir, "firmware"), { recursive: true });
  const path = join(rootDir, "firmware", name);
  await writeFile(path, "");
  return path;
}

const packaged = "/usr/share/cloud-hypervisor/CLOUDHV_EFI.fd";
const small = "/usr/bin/hypervisor-fw";

describe("the firmware for a VM that names none", () => {
  it("is the one that the settings name", async () => {
    const named = await own("mine.fd");
    expect(await find([packaged], { chFirmware: named })).toBe(named);
  });

  it("is missing where the settings name one that is not there, whatever else there is", async () => {
    await expect(find([packaged], { chFirmware: "/nowhere/CLOUDHV.fd" })).rejects.toMatchObject({
      code: "FIRMWARE_MISSING",
      kind: "unavailable",
      message: "there is no firmware /nowhere/CLOUDHV.fd, which the setting chFirmware names",
    });
  });

  it("is silk's own before a package's, and EDK II before the small one", async () => {
    const found = [await find([packaged, small])];
    const ownSmall = await own("hypervisor-fw");
    found.push(await find([packaged, small]));
    const ownEdk2 = await own("CLOUDHV.fd");
    found.push(await find([packaged, small]));
    expect(found).toEqual([packaged, ownSmall, ownEdk2]);
  });

  it("may be the small one, on x86 alone", async () => {
    expect(await find([small])).toBe(small);
    expect(await find([small], { arch: "arm64" })).toBeUndefined();
    expect(await find([packaged], { arch: "arm64" })).toBe(packaged);
  });

  it("may be Debian's, but not before the one of Cloud Hypervisor's project", async () => {
    const debians = "/usr/share/cloudhv-efi-x86-64/CLOUDHV.fd";
    expect(await find([small, debians])).toBe(debians);
    expect(await find([debians, packaged])).toBe(packaged);
    expect(firmwareHint).toContain("cloudhv-efi-x86-64");
  });

  it("is never the OVMF of QEMU", async () => {
    expect(await find(["/usr/share/ovmf/OVMF.fd", "/usr/share/OVMF/OVMF_CODE.fd"])).toBeUndefined();
  });

  it("is no directory", async () => {
    await mkdir(join(rootDir, "firmware/CLOUDHV.fd"), { recursive: true });
    expect(await find([])).toBeUndefined();
  });
});

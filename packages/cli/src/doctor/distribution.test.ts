import { linuxHost } from "@silkvm/sys";
import { describe, expect, it } from "vitest";
import { hostWith, refusal } from "../../test/patient.ts";
import { findDistribution, installCommand, parseOsRelease } from "./distribution.ts";

describe("parseOsRelease", () => {
  it("knows a distribution by its own name", () => {
    expect(parseOsRelease('NAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n')).toEqual({
      id: "debian",
      version: "12",
      manager: "apt",
    });
    expect(parseOsRelease("ID=arch\n")).toEqual({
      id: "arch",
      version: undefined,
      manager: "pacman",
    });
    expect(parseOsRelease('ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\n').manager).toBe(
      "zypper",
    );
    expect(parseOsRelease("ID=alpine\nVERSION_ID=3.22.1\n").manager).toBe("apk");
  });

  it("knows one by what it is like", () => {
    expect(
      parseOsRelease('ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\n').manager,
    ).toBe("dnf");
    expect(parseOsRelease("ID=linuxmint\nID_LIKE='ubuntu debian'\n").manager).toBe("apt");
  });

  it("does not guess at one that it does not know", () => {
    expect(parseOsRelease("ID=nixos\n")).toEqual({
      id: "nixos",
      version: undefined,
      manager: undefined,
    });
    expect(parseOsRelease("ID=constructor\n").manager).toBeUndefined();
    expect(parseOsRelease("")).toEqual({ id: "linux", version: undefined, manager: undefined });
  });
});

describe("findDistribution", () => {
  it("reads this host's", async () => {
    expect((await findDistribution(linuxHost().files)).id).toMatch(/^[a-z0-9._-]+$/);
  });

  it("gets by without os-release", async () => {
    const { files } = hostWith({ files: { readText: refusal("ENOENT") } });
    expect(await findDistribution(files)).toEqual({
      id: "linux",
      version: undefined,
      manager: undefined,
    });
  });
});

describe("installCommand", () => {
  it("is for root, or begins with sudo", () => {
    const debian = { id: "debian", version: "12", manager: "apt" } as const;
    expect(installCommand(debian, "e2fsprogs", 0)).toBe("apt-get install e2fsprogs");
    expect(installCommand(debian, "e2fsprogs", 1000)).toBe("sudo apt-get install e2fsprogs");
    expect(installCommand({ ...debian, manager: undefined }, "e2fsprogs", 0)).toBeUndefined();
  });
});

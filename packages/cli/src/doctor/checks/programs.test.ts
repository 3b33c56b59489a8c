import { defaultConfig, type ToolResult } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, it } from "vitest";
import { debian, examineHost, hostWith } from "../../../test/patient.ts";
import type { Distribution } from "../distribution.ts";
import type { Check } from "../finding.ts";
import { compareVersions } from "./program.ts";
import { iproute2, mkfsErofs, mkfsExt4, qemuImg, virtiofsd, xz } from "./programs.ts";

const withoutPrograms = hostWith({
  processes: { which: async () => undefined },
  facts: { uid: 0 },
});

/** A host whose programs print this. */
function printing(result: Partial<ToolResult>) {
  return hostWith({
    processes: {
      which: async (command) => `/usr/bin/${command}`,
      run: async () => ({ exitCode: 0, stdout: "", stderr: "", ...result }),
    },
    facts: { uid: 0 },
  });
}

async function installing(check: Check, distribution: Distribution): Promise<string | undefined> {
  return (await examineHost(check, withoutPrograms, { distribution })).fix?.command;
}

describe("the checks of programs", () => {
  const commands = { "qemu-img": qemuImg, "mkfs.ext4": mkfsExt4, ip: iproute2, xz };
  for (const [command, check] of Object.entries(commands)) {
    it(`judges the ${command} of this host by whether it is there`, async () => {
      const host = linuxHost();
      const path = await host.processes.which(command);
      const { status, evidence } = await examineHost(check, host);
      if (path === undefined) expect(status).toBe(check.atWorst);
      else
        expect({ status, evidence }).toEqual({
          status: "ok",
          evidence: expect.stringMatching(new RegExp(`^\\d[\\w.+-]* at ${path}$`)) as string,
        });
    });
  }

  it("give the distribution's own command and package", async () => {
    const fedora = { id: "fedora", version: "42", manager: "dnf" } as const;
    const arch = { id: "arch", version: undefined, manager: "pacman" } as const;
    const alpine = { id: "alpine", version: "3.22", manager: "apk" } as const;
    const suse = { id: "opensuse-leap", version: "16.0", manager: "zypper" } as const;
    expect(await installing(qemuImg, debian)).toBe("apt-get install qemu-utils");
    expect(await installing(qemuImg, fedora)).toBe("dnf install qemu-img");
    expect(await installing(mkfsExt4, debian)).toBe("apt-get install e2fsprogs");
    expect(await installing(mkfsErofs, arch)).toBe("pacman -S erofs-utils");
    expect(await installing(iproute2, fedora)).toBe("dnf install iproute");
    expect(await installing(iproute2, alpine)).toBe("apk add iproute2");
    expect(await installing(virtiofsd, suse)).toBe("zypper install virtiofsd");
    expect(await installing(virtiofsd, debian)).toBe("apt-get install qemu-system-common");
    expect(await installing(virtiofsd, { ...debian, version: "13" })).toBe(
      "apt-get install virtiofsd",
    );
  });

  it("give no command where the distribution is not known", async () => {
    const outcome = await examineHost(qemuImg, withoutPrograms, {
      distribution: { id: "linux", version: undefined, manager: undefined },
    });
    expect(outcome.fix).toEqual({ description: "Install the package qemu-img.", automatic: false });
  });

  it("fail without mkfs.ext4, which every VM's disk is made with, and warn of all others", async () => {
    const statuses = await Promise.all(
      [mkfsExt4, qemuImg, mkfsErofs, iproute2, virtiofsd, xz].map(
        async (check) => (await examineHost(check, withoutPrograms)).status,
      ),
    );
    expect(statuses).toEqual(["failed", "warning", "warning", "warning", "warning", "warning"]);
  });

  it("read the version in whatever form and on whatever stream it comes", async () => {
    const versions: [Check, Partial<ToolResult>, string][] = [
      [mkfsExt4, { stderr: "mke2fs 1.47.0 (5-Feb-2023)\n" }, "1.47.0"],
      [mkfsErofs, { stdout: "mkfs.erofs (erofs-utils) 1.8.10\n" }, "1.8.10"],
      [mkfsErofs, { stdout: "mkfs.erofs 1.9\n", exitCode: 1 }, "1.9"],
      [xz, { stdout: "xz (XZ Utils) 5.4.1\nliblzma 5.4.1\n" }, "5.4.1"],
      [iproute2, { stdout: "ip utility, iproute2-ss180129\n" }, "180129"],
      [virtiofsd, { stdout: "virtiofsd 1.14.0\n" }, "1.14.0"],
      [virtiofsd, { stdout: "virtiofsd version 7.2.22 (Debian 1:7.2)\n" }, "7.2.22"],
    ];
    for (const [check, result, version] of versions)
      expect(await examineHost(check, printing(result))).toMatchObject({
        status: "ok",
        evidence: expect.stringMatching(`^${version} at `) as string,
      });
  });

  it("take an mkfs.erofs before 1.8, which reads no archives of layers, only where root unpacks them", async () => {
    const old = (uid: number) =>
      hostWith({
        processes: {
          which: async (command) => `/usr/bin/${command}`,
          run: async () => ({ exitCode: 1, stdout: "mkfs.erofs 1.5\n", stderr: "" }),
        },
        facts: { uid },
      });
    expect(await examineHost(mkfsErofs, old(1000))).toMatchObject({
      status: "warning",
      evidence: "1.5 at /usr/bin/mkfs.erofs is older than 1.8",
      fix: { description: expect.stringContaining("Run silk as root") as string },
    });
    expect(await examineHost(mkfsErofs, old(0))).toMatchObject({
      status: "ok",
      evidence:
        "1.5 at /usr/bin/mkfs.erofs, older than 1.8: layers are unpacked for it, which only root can do",
    });
  });

  it("do not take the ip of busybox for that of iproute2", async () => {
    const outcome = await examineHost(
      iproute2,
      printing({ stderr: "BusyBox v1.36.1\n", exitCode: 1 }),
      { distribution: debian },
    );
    expect(outcome).toMatchObject({
      status: "warning",
      fix: { command: "apt-get install iproute2" },
    });
  });

  it("find a virtiofsd that is on nobody's PATH", async () => {
    const which = async (command: string) =>
      command === "/usr/libexec/virtiofsd" ? command : undefined;
    const run = async () => ({ exitCode: 0, stdout: "virtiofsd 1.13.2\n", stderr: "" });
    const outcome = await examineHost(virtiofsd, hostWith({ processes: { which, run } }));
    expect(outcome).toEqual({ status: "ok", evidence: "1.13.2 at /usr/libexec/virtiofsd" });
  });
});

describe("the virtiofsd that the settings name", () => {
  const config = { ...defaultConfig({}, 0), virtiofsd: "/opt/virtiofsd" };
  it("is the one that is looked at", async () => {
    const which = async (command: string) => (command === "/opt/virtiofsd" ? command : undefined);
    const run = async () => ({ exitCode: 0, stdout: "virtiofsd backend 1.4.0\n", stderr: "" });
    const outcome = await examineHost(virtiofsd, hostWith({ processes: { which, run } }), {
      config,
    });
    expect(outcome).toEqual({ status: "ok", evidence: "1.4.0 at /opt/virtiofsd" });
  });

  it("is told of where it is missing, whatever else there is", async () => {
    const which = async (command: string) => (command === "virtiofsd" ? command : undefined);
    const outcome = await examineHost(virtiofsd, hostWith({ processes: { which } }), { config });
    expect(outcome).toMatchObject({
      status: "warning",
      evidence:
        "/opt/virtiofsd, which the setting virtiofsd names, is not there, or not executable",
    });
  });
});

describe("compareVersions", () => {
  it("compares numbers as numbers and leaves out what follows them", () => {
    expect(compareVersions("1.10", "1.9")).toBeGreaterThan(0);
    expect(compareVersions("1.8", "1.8.0")).toBe(0);
    expect(compareVersions("1.8-g1234", "1.8")).toBe(0);
    expect(compareVersions("1.7.9", "1.8")).toBeLessThan(0);
  });
});

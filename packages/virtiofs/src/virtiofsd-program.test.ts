import { linuxHost } from "@silkvm/sys";
import { expect, it } from "vitest";
import { asUser, scene } from "../test/scene.ts";
import { findVirtiofsd, virtiofsdPlaces } from "./virtiofsd-program.ts";

const qemus =
  "virtiofsd version 7.2.22 (Debian 1:7.2+dfsg-7)\nCopyright (c) 2003-2022\nusing FUSE kernel interface version 7.36";

it.each([
  ["virtiofsd 1.14.0", "rust", "1.14.0"],
  ["virtiofsd backend 1.4.0", "rust", "1.4.0"],
  [qemus, "qemu", "7.2.22"],
])("tells the two kinds apart: %s", async (said, flavor, version) => {
  await using here = await scene();
  const path = await here.program("vfsd", `echo '${said}'`);
  expect(await findVirtiofsd(linuxHost(), path)).toEqual({ path, flavor, version });
});

it.each([
  ["virtiofsd 0.9.1", /is virtiofsd 0\.9\.1, which is too old/],
  ["virtiofsd version 4.2.0", /is virtiofsd 4\.2\.0, which is too old/],
  ["cat (GNU coreutils) 9.1", /does not tell its version as virtiofsd does: cat/],
  ["", /does not tell its version as virtiofsd does$/],
])("refuses what says %j", async (said, message) => {
  await using here = await scene();
  const path = await here.program("vfsd", `echo '${said}'`);
  await expect(findVirtiofsd(linuxHost(), path)).rejects.toMatchObject({
    code: "VIRTIOFSD_UNKNOWN",
    kind: "unsupported",
    message: expect.stringMatching(message) as string,
  });
});

it("knows QEMU's by what it says to users, to whom it does not even tell its version", async () => {
  await using here = await scene();
  const said = "setgroups() failed with error=1:Operation not permitted";
  const path = await here.program("vfsd", `echo '${said}' >&2; exit 1`);
  await expect(findVirtiofsd(linuxHost(), path)).rejects.toMatchObject({
    code: "VIRTIOFSD_UNSUPPORTED",
    message: expect.stringContaining("as root only") as string,
  });
});

it("takes the one on PATH, else the first one where distributions put it", async () => {
  const run = async () => ({ exitCode: 0, stdout: "virtiofsd 1.13.2", stderr: "" });
  const found = async (there: readonly string[]) => {
    const which = async (command: string) => (there.includes(command) ? command : undefined);
    return (await findVirtiofsd(asUser(0, { which, run }), "virtiofsd")).path;
  };
  expect(await found(["virtiofsd", "/usr/libexec/virtiofsd"])).toBe("virtiofsd");
  for (const place of virtiofsdPlaces) expect(await found([place])).toBe(place);
});

it("says where it looked, or what the setting names, where there is none", async () => {
  const nothing = asUser(0, { which: async () => undefined });
  await expect(findVirtiofsd(nothing, "virtiofsd")).rejects.toMatchObject({
    code: "VIRTIOFSD_NOT_FOUND",
    message: expect.stringContaining("/usr/libexec/virtiofsd") as string,
  });
  await expect(findVirtiofsd(nothing, "/opt/vfsd")).rejects.toMatchObject({
    code: "VIRTIOFSD_NOT_FOUND",
    message: "there is no program /opt/vfsd, which the setting virtiofsd names",
  });
});

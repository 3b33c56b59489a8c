import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, test } from "vitest";
import { hostnameOf } from "../src/cidata/seed.ts";
import { cidataImage, type SeedRequest, seedFiles, writeCidata } from "../src/index.ts";
import { Bed, has, isRoot, run } from "./bed.ts";

const key =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3mY0n0Wn9bUqQv2gYxk0l0F8n3b4z2b1t0i1b2c3d4 ann@example.org";
const request: SeedRequest = {
  instanceId: "0123456789ab",
  hostname: "web-1",
  user: "ann",
  sshKeys: [key],
  nics: [
    { mac: "02:AB:cd:ef:00:01", address: { ip: "10.1.2.3", gateway: "10.1.2.1", prefix: 24 } },
    { mac: "02:ab:cd:ef:00:02" },
  ],
  dns: ["9.9.9.9"],
  disks: [
    { role: "data", serial: "data1", mountPoint: "/srv/it's here", fstype: "ext4" },
    { role: "data", serial: "raw", fstype: "none" },
    { role: "cow", serial: "cocoon-cow" },
  ],
};
const noNics: SeedRequest = { instanceId: "x", hostname: "x", nics: [] };

test("a seed says who the guest is, and has no password", () => {
  const files = seedFiles(request);
  expect(Object.keys(files)).toEqual(["meta-data", "user-data", "network-config"]);
  expect(JSON.parse(String(files["meta-data"]))).toEqual({
    "instance-id": "0123456789ab",
    "local-hostname": "web-1",
    "public-keys": [key],
  });
  expect(JSON.parse(String(files["network-config"]))).toEqual({
    version: 2,
    ethernets: {
      id0: {
        match: { macaddress: "02:ab:cd:ef:00:01" },
        addresses: ["10.1.2.3/24"],
        routes: [{ to: "0.0.0.0/0", via: "10.1.2.1" }],
        nameservers: { addresses: ["9.9.9.9"] },
      },
      id1: {
        match: { macaddress: "02:ab:cd:ef:00:02" },
        dhcp4: true,
        "dhcp-identifier": "mac",
        nameservers: { addresses: ["9.9.9.9"] },
      },
    },
  });
  const userData = String(files["user-data"]);
  expect(userData.startsWith("#cloud-config\n")).toBe(true);
  expect(JSON.parse(userData.slice(userData.indexOf("\n")))).toMatchObject({
    ssh_pwauth: false,
    users: [{ name: "ann", lock_passwd: true, ssh_authorized_keys: [key] }],
    mounts: [
      ["/dev/disk/by-id/virtio-data1", "/srv/it's here", "ext4", "defaults,nofail", "0", "2"],
    ],
  });
  expect(userData).not.toMatch(/chpasswd|plain_text|hashed_passwd|"password/);
});

test("the user's own user-data is handed on as it is, and silk's part beside it", () => {
  const userData = "#!/bin/sh\necho mine\n";
  const files = seedFiles({ ...request, userData });
  expect(files["user-data"]).toBe(userData);
  expect(String(files["vendor-data"])).toContain('"ann"');
});

test("a VM's name becomes a host name that systemd takes", () => {
  const names = ["web-1", "web_1", "web.example.org", "Web_", "a..b", "x_-_.y"];
  expect(names.map(hostnameOf)).toEqual(["web-1", "web-1", "web.example.org", "Web", "a.b", "x.y"]);
});

test("what cloud-init would not understand is refused", () => {
  const code = (change: Partial<SeedRequest>): unknown => {
    try {
      seedFiles({ ...request, ...change });
      return "fine";
    } catch (error) {
      return (error as { code?: unknown }).code;
    }
  };
  expect(code({ sshKeys: ["not a key"] })).toBe("INVALID_SSH_KEY");
  expect(code({ sshKeys: ["-----BEGIN OPENSSH PRIVATE KEY-----"] })).toBe("INVALID_SSH_KEY");
  expect(code({ sshKeys: [`${key}\nssh-rsa AAAA`] })).toBe("INVALID_SSH_KEY");
  expect(code({ user: "Ann Smith" })).toBe("INVALID_USER");
  expect(code({ userData: "hello" })).toBe("INVALID_USER_DATA");
  expect(code({ userData: "" })).toBe("INVALID_USER_DATA");
  expect(code({ userData: "## template: jinja\n#cloud-config\n{}" })).toBe("fine");
});

test("the same seed gives the same bytes", () => {
  expect(
    Buffer.from(cidataImage(request, 1e12)).equals(Buffer.from(cidataImage(request, 1e12))),
  ).toBe(true);
});

describe.skipIf(!has("mtools") || !has("mdir"))("judged by mtools", () => {
  test.each([0, 1, 511, 512, 513, 100_000, 3_000_000, 16 * 1024 ** 2 - 16])(
    "user-data of %i bytes more is read back whole",
    async (size) => {
      await using bed = new Bed();
      const path = bed.path("cidata.img");
      const userData = `#cloud-config\n#${"x".repeat(size)}`;
      await writeCidata(linuxHost(), path, { ...request, userData });
      expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(run("mlabel", "-s", "-i", path, "::")).toContain("CIDATA");
      for (const name of ["meta-data", "user-data", "vendor-data", "network-config"]) {
        run("mcopy", "-n", "-i", path, `::${name}`, bed.path(name));
      }
      expect(readFileSync(bed.path("user-data"), "utf8")).toBe(userData);
      expect(readFileSync(bed.path("meta-data"), "utf8")).toBe(seedFiles(request)["meta-data"]);
      if (has("fsck.fat")) run("fsck.fat", "-n", path);
      expect(run("blkid", "-p", "-o", "value", "-s", "LABEL", path).trim()).toBe("CIDATA");
      if (isRoot && /\bvfat\b/.test(readFileSync("/proc/filesystems", "utf8"))) {
        mkdirSync(bed.path("mnt"));
        run("mount", "-o", "loop,ro", "-t", "vfat", path, bed.path("mnt"));
        bed.defer(() => void run("umount", bed.path("mnt")));
        expect(readFileSync(bed.path("mnt/user-data"), "utf8")).toBe(userData);
      }
    },
  );
});

describe.skipIf(!has("cloud-init"))("judged by cloud-init", () => {
  test.each([
    ["all of it", request],
    ["nothing but a name", noNics],
    ["keys for the distribution's own user", { ...noNics, sshKeys: [key] }],
    ["root", { ...noNics, user: "root", sshKeys: [key] }],
  ])("the user-data of %s is valid", async (_, seed) => {
    await using bed = new Bed();
    writeFileSync(bed.path("user-data"), seedFiles(seed)["user-data"] ?? "");
    expect(run("cloud-init", "schema", "--config-file", bed.path("user-data"))).toContain("Valid");
  });
});

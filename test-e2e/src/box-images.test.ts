import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { VmView } from "@silkvm/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ContainerImage, makeContainerImage } from "./box/container-image.ts";
import { guestCommandLine } from "./box/guest.ts";
import { type LayeredImage, makeLayeredImage } from "./box/layered-image.ts";
import { findBoxParts } from "./box/needs.ts";
import { onLongBox } from "./box/suite.ts";
import { traces } from "./box/traces.ts";

const mac = "52:54:00:00:00:01";
const small = ["--cpus", "1", "--memory", "192M"];
const key =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3mY0n0Wn9bUqQv2gYxk0l0F8n3b4z2b1t0i1b2c3d4 ann@example.org";
const hasCloudInit = spawnSync("cloud-init", ["--version"], { stdio: "ignore" }).status === 0;
if (!hasCloudInit) console.log("no cloud-init reads a seed here: cloud-init is not installed");

onLongBox("images on a host in a box", (host) => {
  let image: LayeredImage;
  let dir: string;

  beforeAll(() => {
    const parts = findBoxParts();
    if ("missing" in parts) throw new Error(parts.missing);
    image = makeLayeredImage(parts);
    dir = mkdtempSync(join(tmpdir(), "silk-box-images-"));
  }, 60_000);
  afterAll(() => {
    image[Symbol.dispose]();
    rmSync(dir, { recursive: true, force: true });
  });

  it("an OCI image of a Linux boots from its layers, and keeps what is written to its root", async () => {
    const box = host();
    const { silk } = box;
    await silk.ok("image", "import", image.path, "--name", image.name);
    const before = await traces(box);
    const more = ["--cmdline", guestCommandLine("hvc0").replace("console=hvc0 ", "")];
    const shape = ["--name", "web", "--storage", "256M", "--bridge", "br0", "--mac", mac];
    await silk.ok("vm", "create", ...shape, ...small, ...more, image.name);
    await silk.ok("vm", "start", "web");

    expect(await box.guestSh(mac, "cat /etc/replaced /srv/added; ls /etc")).toBe(
      "upper\nupper\nacpi\nreplaced\n",
    );
    expect(await box.guestSh(mac, "hostname; grep ' / ' /proc/mounts")).toMatch(
      /^web\noverlay \/ overlay /,
    );
    await box.guestSh(mac, "echo mine >/etc/mine; rm /srv/added; sync");
    const { disks } = await silk.json<VmView>("vm", "inspect", "web");
    expect(disks.map(({ role, serial }) => `${role} ${serial}`)).toEqual([
      "layer cocoon-layer0",
      "layer cocoon-layer1",
      "cow cocoon-cow",
    ]);

    const { id } = await silk.json<{ id: string }>("snapshot", "save", "web");
    await box.guestSh(mac, "echo later >/etc/mine; sync");
    await silk.ok("vm", "clone", id, "--name", "copy");
    const [nic] = await silk.json<{ mac: string }[]>("vm", "net", "list", "copy");
    expect(await box.guestSh(nic?.mac ?? "", "cat /etc/mine; ls /srv")).toBe("mine\n");
    await silk.ok("vm", "rm", "--force", "copy");

    await silk.ok("vm", "stop", "web");
    await silk.ok("vm", "start", "web");
    expect(await box.guestSh(mac, "cat /etc/mine; ls /srv")).toBe("later\n");
    await silk.ok("vm", "rm", "--force", "web");
    await silk.ok("snapshot", "rm", id);
    expect(await traces(box)).toBe(before);
  });

  describe("with a container's image", () => {
    const name = "tool:1";
    let container: ContainerImage;
    let before: string;

    beforeAll(async () => {
      const box = host();
      const parts = findBoxParts();
      if ("missing" in parts) throw new Error(parts.missing);
      container = makeContainerImage(parts);
      await box.silk.ok("image", "import", container.path, "--name", name);
      // An emulated CPU takes long to unpack the one in /boot.
      const modules = ["--modules", parts.kernel.modulesDir];
      await box.silk.ok("image", "import-kernel", box.guest.kernel, ...modules);
      before = await traces(box);
    }, 120_000);
    afterAll(async () => {
      const box = host();
      container[Symbol.dispose]();
      // The initramfs stays for the next VM until then.
      await box.silk.ok("gc");
      expect(await traces(box)).toBe(before);
    }, 120_000);
    const command = (...words: readonly string[]): string =>
      [host().silkCommand, "vm run", ...small, ...words].join(" ");

    it("runs its program as the image says, with stdin and a directory of the host, and loses not a byte of its output", async () => {
      const box = host();
      const silk = command("--rm --interactive --env WHO=me --volume /var/lib/data:/data", name);
      const input = "a line\n".repeat(10_000);
      const told = await box.sh(
        `
        mkdir -m 0777 /var/lib/data
        head -c 200000 /dev/urandom >/var/lib/data/bytes
        ${silk} >/root/output 2>/root/errors || echo "ended with $?"
        tail -n 1 /root/errors
        { printf 'me\\n1000\\nthe image\\n'; cat /var/lib/data/bytes; } | cmp - /root/output
        cat /var/lib/data/said
        rm -r /var/lib/data`,
        { input },
      );
      expect(told === `ended with 7\nthe image\n${input}`).toBe(true);
    });

    it("has a terminal with -it, of this size, where Ctrl-C is the program's", async () => {
      const script =
        "trap 'echo interrupted' INT; busybox stty size; echo ready; until read word; do :; done; echo said $word; exit 3";
      const told = await host().sh(`
        echo 'stty rows 31 cols 97; ${command("--rm -it", name)} "$SCRIPT"' >/root/in-terminal
        export SCRIPT=${JSON.stringify(script).replaceAll("$", "\\$")}
        : >/root/terminal
        see() { until grep -q "$1" /root/terminal; do sleep 0.2; done; }
        { see ready; printf '\\003'; see interrupted; printf 'hello\\n'; see 'said hello'; } |
          script -qefc 'sh /root/in-terminal' /dev/null >/root/terminal || echo "ended with $?"
        tail -n 5 /root/terminal | tr -d '\\r'`);
      expect(told).toMatch(/^ended with 3\n.*31 97\nready\n\^Cinterrupted\nhello\nsaid hello\n$/);
    });

    it("asks a program in the background to end by the image's signal, and knows its exit code", async () => {
      const box = host();
      const { silk } = box;
      const script = "trap 'exit 5' USR1; echo ready; while :; do busybox sleep 1; done";
      await silk.ok("vm", "run", "--detach", "--name", "serves", ...small, name, script);
      const watched = await silk.run(["vm", "console", "serves", "--idle-timeout", "10ms"], {
        until: "ready",
      });
      expect(watched.stdout).toContain("ready");
      await silk.ok("vm", "stop", "serves", "--timeout", "60s");
      expect(await silk.json<VmView>("vm", "inspect", "serves")).toMatchObject({
        state: "stopped",
        exitCode: 5,
      });
      await silk.ok("vm", "rm", "serves");
    });
  });

  describe.skipIf(!hasCloudInit)("with a VM of a cloud image", () => {
    /** Lets the box's own cloud-init read the VM's cidata, as its guest's would; the box's root takes what it does. */
    const readSeed = async (name: string, logsDisk: string): Promise<string> => {
      const box = host();
      const { disks } = await box.silk.json<VmView>("vm", "inspect", name);
      const seed = disks.find(({ role }) => role === "cidata")?.path ?? "";
      return await box.sh(`
        seed=$(losetup --find --show --read-only '${seed}')
        mkdir -p /dev/disk/by-id
        ln -sfn ${logsDisk} /dev/disk/by-id/virtio-logs
        # What a boot would have cleared.
        rm -rf /run/cloud-init
        cloud-init init --local >&2
        cloud-init init >&2
        losetup --detach "$seed"
        cat /var/lib/cloud/data/instance-id
        hostname`);
    };

    it("a real cloud-init learns from its cidata who it is, and from a clone's that it is another one", async () => {
      const box = host();
      const { silk } = box;
      const disk = join(dir, "cloud.raw");
      const bootSector = Buffer.alloc(1024 ** 2);
      bootSector.writeUInt16LE(0xaa55, 510);
      writeFileSync(disk, bootSector);
      await silk.ok("image", "import", disk, "--name", "cloud");
      const nic = ["--bridge", "br0", "--mac", mac];
      const told = ["--user", "ann", "--ssh-key", key, "--data-disk", "size=16M,name=logs"];
      const boot = ["--firmware", box.guest.firmware, ...small];
      await silk.ok("vm", "run", "--name", "web_1", ...told, ...nic, ...boot, "cloud");
      const { id, disks } = await silk.json<VmView>("vm", "inspect", "web_1");
      // The guest has it, too.
      expect(await box.guestSh(mac, "head -c 200000 /dev/vdc | strings")).toContain(id);

      const logs = disks.find(({ serial }) => serial === "logs")?.path ?? "";
      // Other keys, and questions to clouds, take minutes on an emulated CPU.
      await box.sh(
        "printf 'ssh_genkeytypes: [ed25519]\ndatasource_list: [NoCloud, None]\n' >/etc/cloud/cloud.cfg.d/99-box.cfg",
      );
      await box.sh(`modprobe loop; cp --sparse=always ${logs} /root/logs.raw`);
      await box.sh(`ip link add nic0 address ${mac} type dummy`);
      const logsDisk = (await box.sh("losetup --find --show /root/logs.raw")).trim();
      expect(await readSeed("web_1", logsDisk)).toBe(`${id}\nweb-1\n`);
      expect(await box.sh("id -un ann; cat /home/ann/.ssh/authorized_keys; passwd -S ann")).toMatch(
        new RegExp(`^ann\\n${key.replaceAll("+", "\\+")}\\nann L `),
      );
      expect(await box.sh("cat /etc/sudoers.d/90-cloud-init-users")).toContain(
        "ann ALL=(ALL) NOPASSWD:ALL",
      );
      expect(await box.sh("findmnt --noheadings --output FSTYPE /mnt/logs")).toBe("ext4\n");
      expect(await box.sh("cat /etc/systemd/network/*cloud-init*")).toMatch(
        new RegExp(`MACAddress=${mac}`, "i"),
      );

      const saved = await silk.json<{ id: string }>("snapshot", "save", "web_1");
      await silk.ok("vm", "clone", saved.id, "--name", "copy");
      const copy = await silk.json<VmView>("vm", "inspect", "copy");
      expect(await readSeed("copy", logsDisk)).toBe(`${copy.id}\ncopy\n`);
      expect(await box.sh("ls /var/lib/cloud/instances")).toContain(id);
      expect(await box.sh("cat /etc/systemd/network/*cloud-init*")).toMatch(
        new RegExp(`MACAddress=${copy.nics[0]?.mac}`, "i"),
      );
      await silk.ok("vm", "rm", "--force", "web_1", "copy");
      await silk.ok("snapshot", "rm", saved.id);
    }, 600_000);
  });
});

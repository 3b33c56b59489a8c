import { execFileSync, spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import {
  definePlugin,
  type Engine,
  type PluginDefinition,
  type Vm,
  type VmSpec,
} from "@silkvm/core";
import imagesPlugin, { type Images, openImages } from "@silkvm/images";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, it } from "vitest";
import { makeSandbox } from "./sandbox.ts";
import { hasMtools, seedJson } from "./seeds.ts";
import { ask } from "./snapshot-console.ts";
import { cowPath, type GuestWords } from "./snapshot-guest.ts";
import { canMakeDisk, mountSmallDisk, type SmallDiskType } from "./snapshot-small-disk.ts";
import { expectNothingLeft } from "./snapshot-scene.ts";
import { mainSnapshotTargets, snapshotTargets } from "./snapshot-targets.ts";

const mib = 1024 ** 2;
const imageBytes = 8 * mib;
const sectorBytes = 512;
const key =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3mY0n0Wn9bUqQv2gYxk0l0F8n3b4z2b1t0i1b2c3d4 ann@example.org";
const hasQemuImg = spawnSync("qemu-img", ["--version"], { stdio: "ignore" }).status === 0;
const testMs = 120_000;

/** How the disk of a VM of a cloud image is made, and the file system of the root directory that brings that about. */
const kinds: readonly { readonly kind: "raw" | "qcow2"; readonly on: SmallDiskType }[] = [
  { kind: "raw", on: "xfs" },
  { kind: "qcow2", on: "ext4" },
];

interface Cloud {
  readonly engine: Engine;
  readonly images: Images;
  readonly guest: GuestWords;
  /** The image, as it was imported. */
  readonly disk: string;
  /** A new VM of the image. */
  readonly create: (name: string, more?: Partial<VmSpec>) => Promise<Vm>;
}

for (const { kind, on } of kinds)
  describe.each(mainSnapshotTargets)(`a cloud image as a ${kind} disk on $name`, (target) => {
    const missing =
      target.missing ??
      (canMakeDisk(on) ? undefined : `this process cannot make and mount ${on}`) ??
      (hasQemuImg && hasMtools ? undefined : "qemu-img or mtools are not installed");
    if (missing !== undefined) console.log(`no cloud images on ${target.name}: ${missing}`);
    // What the stand-in's guest writes, the host writes in its place: not into a qcow2.
    const writes = kind === "raw" || target.name !== "ch-sim";

    async function onCloud(test: (cloud: Cloud) => Promise<void>): Promise<void> {
      await using sandbox = await makeSandbox(await target.vmm(), [imagesPlugin]);
      const { rootDir } = sandbox.config;
      using _disk = mountSmallDisk(on, rootDir);
      await using engine = await sandbox.engine();
      await using images = openImages({
        host: linuxHost(),
        rootDir,
        references: () => engine.blobReferences(),
      });
      const disk = await diskImage(sandbox.dir);
      await images.import(disk, { name: "tiny" });
      const { boot, ...spec } = await target.spec();
      const create = (name: string, more: Partial<VmSpec> = {}): Promise<Vm> =>
        engine.create({
          ...spec,
          storageBytes: 16 * mib,
          image: "tiny",
          boot: { firmware: boot.kernel },
          name,
          ...more,
        });
      await test({ engine, images, guest: target.guest, disk, create });
      await expectNothingLeft(engine, sandbox);
    }

    describe.skipIf(missing !== undefined)("", { timeout: testMs }, () => {
      it("begins as the image, is grown, and is the VM's own", async () => {
        await onCloud(async ({ engine, guest, create, images, disk }) => {
          const one = await create("one");
          const path = await cowPath(one);
          expect(basename(path)).toBe(`cow.${kind}`);
          qemuImg("compare", "-q", "-f", kind, "-F", "raw", path, disk);
          const info = qemuInfo(path);
          expect(info).toMatchObject({ format: kind, "virtual-size": 16 * mib });
          const blob = (await one.inspect()).imageBlobIds[0] ?? "";
          if (kind === "qcow2") expect(info["full-backing-filename"]).toMatch(blob);
          // The image is shared: what it has takes no room of the VM's.
          expect(info["actual-size"]).toBeLessThan(kind === "qcow2" ? mib : imageBytes + mib);
          const two = await create("two");
          await one.start();
          await two.start();
          if (writes) {
            expect(await guest.readDisk(one, 0)).toBe("");
            await guest.writeDisk(one, 0, "one");
            expect(await guest.readDisk(two, 0)).toBe("");
          }
          await images.remove("tiny");
          await one.stop({ force: true });
          await one.start();
          if (writes) expect(await guest.readDisk(one, 0)).toBe("one");
          await engine.delete(["one", "two"], { force: true });
          await engine.gc();
        });
      });

      it("is saved, cloned, restored and hibernated, and the image stays for as long as anything needs it", async () => {
        await onCloud(async ({ engine, images, guest, create }) => {
          const source = await create("source");
          await source.start();
          const put = async (vm: Vm, word: string): Promise<void> => {
            await guest.remember(vm, word);
            if (writes) await guest.writeDisk(vm, 0, word);
            // What is not flushed to a qcow2 is not in a snapshot, as its warning says.
            if (kind === "qcow2" && writes) await ask(vm, "flush cocoon-cow");
          };
          const got = async (vm: Vm): Promise<readonly string[]> => [
            await guest.recall(vm),
            writes ? await guest.readDisk(vm, 0) : await guest.recall(vm),
          ];
          await put(source, "saved");
          const { id } = await source.save();
          await put(source, "later");
          const { manifest } = await engine.snapshots.inspect(id);
          const blob = (await source.inspect()).imageBlobIds[0] ?? "";
          expect(manifest.vm.imageBlobIds).toEqual([blob]);
          const outside = manifest.externals.map(({ path }) => basename(path));
          expect(outside.includes(blob)).toBe(kind === "qcow2");

          const { vm: clone } = await engine.clone({ snapshot: id }, { name: "clone" });
          expect(await got(clone)).toEqual(["saved", "saved"]);
          expect(await cowPath(clone)).not.toBe(await cowPath(source));
          await put(clone, "clone");
          const again = await clone.save();
          const { vm: second } = await engine.clone({ snapshot: again.id }, { name: "second" });
          expect(await got(second)).toEqual(["clone", "clone"]);
          expect(await got(source)).toEqual(["later", "later"]);

          await source.restore({ snapshot: id });
          expect(await got(source)).toEqual(["saved", "saved"]);
          await put(source, "asleep");
          await source.hibernate();
          await source.wake();
          expect(await got(source)).toEqual(["asleep", "asleep"]);

          const { freed, kept } = await images.remove("tiny");
          expect(freed).toEqual([]);
          expect(kept.map(({ blobId }) => blobId)).toEqual([blob]);
          await engine.delete(["source", "clone", "second"], { force: true });
          const garbage = async (): Promise<readonly string[]> =>
            (await engine.gc({ dryRun: true })).map(({ name }) => basename(name));
          expect(await garbage()).toEqual([]);
          const { vm: late } = await engine.clone({ snapshot: again.id }, { name: "late" });
          expect(await got(late)).toEqual(["clone", "clone"]);
          await engine.delete(["late"], { force: true });
          await engine.snapshots.delete([id, again.id]);
          expect(await garbage()).toEqual([blob, `${blob}.facts`]);
          await engine.gc();
        });
      });

      it("tells the guest who it is until its first boot is done, and each clone at its first own one", async () => {
        await onCloud(async ({ engine, create }) => {
          const guest = { user: "ann", sshKeys: [key] };
          const dataDisks = [{ sizeBytes: 16 * mib, name: "logs", fstype: "none" as const }];
          const source = await create("web_1", { guest, dataDisks });
          const seed = await seedPath(source);
          expect(seedJson(seed, "meta-data")).toEqual({
            "instance-id": source.id,
            "local-hostname": "web-1",
            "public-keys": [key],
          });
          await source.start();
          expect(await attached(source)).toContain(seed);
          const early = await source.save();
          await source.stop({ force: true });
          await source.start();
          expect(await attached(source)).toEqual([await cowPath(source), expect.anything()]);
          const late = await source.save();

          for (const [name, { id }] of Object.entries({ early, late })) {
            const { vm: clone } = await engine.clone({ snapshot: id }, { name });
            const own = await seedPath(clone);
            expect(own).not.toBe(seed);
            expect(seedJson(own, "meta-data")).toMatchObject({
              "instance-id": clone.id,
              "local-hostname": name,
              "public-keys": [key],
            });
            expect(seedJson(own, "user-data")).toMatchObject({ users: [{ name: "ann" }] });
            expect(await attached(clone)).toContain(own);
            expect(await clone.inspect()).toMatchObject({ state: "running", firstBooted: false });
            await clone.stop({ force: true });
            expect((await clone.inspect()).state).toBe("stopped");
            // Its guest went on as the source. Its first boot of its own is the one at which it learns who it is.
            await clone.start();
            expect(await attached(clone)).toContain(own);
            await clone.stop({ force: true });
            await clone.start();
            expect(await attached(clone)).not.toContain(own);
            // Back before that boot, it is told again.
            await clone.restore({ snapshot: id });
            expect(seedJson(own, "meta-data")).toMatchObject({ "instance-id": clone.id });
            await clone.stop({ force: true });
            await clone.start();
            expect(await attached(clone)).toContain(own);
          }

          await source.restore({ snapshot: late.id });
          await source.stop({ force: true });
          await source.start();
          expect(await attached(source)).not.toContain(seed);
          expect(seedJson(seed, "meta-data")).toMatchObject({ "instance-id": source.id });
        });
      });

      it("of Windows has no cidata", async () => {
        await onCloud(async ({ create }) => {
          const vm = await create("win", { windows: true });
          expect((await vm.inspect()).disks.map(({ role }) => role)).toEqual(["cow"]);
          // Some hosts' KVM has no Hyper-V to show to the guest, which the real VMM insists on.
          if (target.name !== "ch-sim") return;
          await vm.start();
          expect(await attached(vm)).toEqual([await cowPath(vm)]);
        });
      });
    });
  });

describe.skipIf(!hasQemuImg || !hasMtools)("the seed of a VM of a cloud image", () => {
  const simulated = snapshotTargets.filter(({ name }) => name === "ch-sim");

  it.each(simulated)(
    "has the addresses that its NICs have at each start until the first is done, on $name",
    async (target) => {
      await using sandbox = await makeSandbox(await target.vmm(), [imagesPlugin, movingNetwork()]);
      await using engine = await sandbox.engine();
      await using images = openImages({ host: linuxHost(), rootDir: sandbox.config.rootDir });
      await images.import(await diskImage(sandbox.dir), { name: "tiny" });
      const { boot, storageBytes: _, ...spec } = await target.spec();
      const from = { image: "tiny", boot: { firmware: boot.kernel }, nics: 1, dns: ["9.9.9.9"] };
      const vm = await engine.create({ ...spec, ...from, name: "web" });
      const seed = await seedPath(vm);
      const address = (): unknown => seedJson(seed, "network-config");
      const ethernets = (ip: string): object => ({
        ethernets: {
          id0: { addresses: [`${ip}/24`], nameservers: { addresses: ["9.9.9.9"] } },
        },
      });
      expect(address()).toMatchObject(ethernets("10.0.0.1"));
      await vm.start();
      expect(address()).toMatchObject(ethernets("10.0.0.2"));
      await vm.stop({ force: true });
      await vm.start();
      // The guest does not look at it any more.
      expect(address()).toMatchObject(ethernets("10.0.0.2"));
    },
  );
});

describe.skipIf(!hasQemuImg)("what is wrong with a VM of a cloud image", () => {
  const simulated = snapshotTargets.filter(({ name }) => name === "ch-sim");

  it.each(simulated)(
    "is found out before anything is fetched, and before anything is made, on $name",
    async (target) => {
      await using sandbox = await makeSandbox(await target.vmm(), [imagesPlugin], {
        chFirmware: "/nowhere/CLOUDHV.fd",
      });
      await using engine = await sandbox.engine();
      const { rootDir } = sandbox.config;
      await using images = openImages({ host: linuxHost(), rootDir });
      // Nobody listens there: a question to it would have another answer.
      const image = "http://127.0.0.1:9/debian.qcow2";
      const wrong: readonly [string, Partial<VmSpec>][] = [
        ["INVALID_SSH_KEY", { guest: { sshKeys: ["my key"] } }],
        ["INVALID_USER", { guest: { user: "Ann Other" } }],
        ["INVALID_USER_DATA", { guest: { userData: "hello" } }],
        ["INVALID_SPEC", { guest: { user: "ann" }, windows: true }],
      ];
      for (const [code, spec] of wrong)
        await expect(engine.create({ image, ...spec })).rejects.toMatchObject({
          code,
          kind: "invalid",
        });
      await images.import(await diskImage(sandbox.dir), { name: "tiny" });
      await expect(engine.create({ image: "tiny" })).rejects.toMatchObject({
        code: "FIRMWARE_MISSING",
        kind: "unavailable",
      });
      expect(await engine.list({ all: true })).toEqual([]);
      await images.remove("tiny");
      await expectNothingLeft(engine, sandbox);
    },
  );
});

/** A disk that begins like one with partitions, and is empty otherwise. */
async function diskImage(dir: string): Promise<string> {
  const path = join(dir, "disk.raw");
  const sector = Buffer.alloc(sectorBytes);
  sector.writeUInt16LE(0xaa55, sectorBytes - 2);
  await writeFile(path, Buffer.concat([sector, Buffer.alloc(imageBytes - sectorBytes, 7)]));
  return path;
}

/** A network that gives a NIC another address each time that it is made, as CNI may after a reboot. */
function movingNetwork(): PluginDefinition {
  let last = 0;
  const nic = { tap: "tap0", mac: "02:00:00:00:00:01", queues: 2, queueSize: 0 };
  return definePlugin({
    name: "moving",
    apiVersion: 1,
    networks: [
      {
        name: "moving",
        description: "addresses that move",
        open: async () => ({
          plan: async () => [{ ...nic, provider: "moving" }],
          attach: async (_vm, nics) => {
            last += 1;
            const address = { ip: `10.0.0.${last}`, gateway: "10.0.0.254", prefix: 24 };
            return nics.map((each) => ({ ...each, address }));
          },
          detach: async () => {},
          networks: async () => [],
          [Symbol.asyncDispose]: async () => {},
        }),
      },
    ],
  });
}

interface QemuInfo {
  readonly format: string;
  readonly "virtual-size": number;
  readonly "actual-size": number;
  readonly "full-backing-filename"?: string;
}

function qemuInfo(path: string): QemuInfo {
  return JSON.parse(qemuImg("info", "--output=json", path)) as QemuInfo;
}

function qemuImg(...args: readonly string[]): string {
  return execFileSync("qemu-img", args, { encoding: "utf8" });
}

async function seedPath(vm: Vm): Promise<string> {
  const { disks } = await vm.inspect();
  return disks.find(({ role }) => role === "cidata")?.path ?? "";
}

/** Paths of the disks that the VMM has now. */
async function attached(vm: Vm): Promise<readonly string[]> {
  const { observed } = await vm.inspect();
  const { config } = observed.raw as { config: { disks?: readonly { path: string }[] } };
  return (config.disks ?? []).map(({ path }) => path);
}

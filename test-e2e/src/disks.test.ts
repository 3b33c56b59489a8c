import { mkdir, readFile, symlink, truncate, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createChClient } from "@silkvm/ch-client";
import cloudHypervisorPlugin from "@silkvm/cloud-hypervisor";
import { createEngine, isSilkError } from "@silkvm/core";
import { diskKind } from "@silkvm/storage";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, it } from "vitest";
import { makeSandbox } from "./sandbox.ts";
import { silkIn, type Silk } from "./silk.ts";
import { ask } from "./snapshot-console.ts";
import { onScene, type Scene } from "./snapshot-scene.ts";
import { mainSnapshotTargets } from "./snapshot-targets.ts";
import { tailPlugin } from "./tail-backend.ts";

const host = linuxHost();
const diskBytes = 4 * 1024 ** 2;
/** A test runs some twenty programs, which a busy machine takes a second for, each. */
const testMs = 120_000;

interface DiskRow {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly readonly: boolean;
  readonly state: string;
  readonly keep: boolean;
  readonly bdf: string | null;
}

interface Disks extends Scene {
  readonly silk: Silk;
  /** Makes an empty image beside silk's directories. */
  readonly image: (name: string, sizeBytes?: number) => Promise<string>;
  readonly attach: (vm: string, path: string, name: string, ...flags: string[]) => Promise<string>;
  readonly detach: (vm: string, name: string, ...flags: string[]) => Promise<string>;
  readonly list: (vm: string) => Promise<DiskRow[]>;
  readonly states: (vm: string) => Promise<string[]>;
}

describe.each(mainSnapshotTargets)("disks of running VMs on $name", (target) => {
  const onDisks = (test: (disks: Disks) => Promise<void>): Promise<void> =>
    onScene(target, async (scene) => {
      const silk = silkIn(scene.sandbox);
      const list = (vm: string): Promise<DiskRow[]> => silk.json("vm", "disk", "list", vm);
      await test({
        ...scene,
        silk,
        list,
        image: async (name, sizeBytes = diskBytes) => {
          const path = join(scene.sandbox.dir, name);
          await writeFile(path, "");
          await truncate(path, sizeBytes);
          return path;
        },
        attach: (vm, path, name, ...flags) =>
          silk.ok("vm", "disk", "attach", vm, "--path", path, "--name", name, ...flags),
        detach: (vm, name, ...flags) =>
          silk.ok("vm", "disk", "detach", vm, "--name", name, ...flags),
        states: async (vm) => (await list(vm)).map(({ name, state }) => `${name} ${state}`),
      });
    });
  const test = (name: string, body: (disks: Disks) => Promise<void>): void =>
    it(name, () => onDisks(body), testMs);

  describe.skipIf(target.missing !== undefined)("", () => {
    test("are written by the guest, and have what was written when they are detached", async (t) => {
      const vm = await t.boot("web");
      const [one, two, three] = await Promise.all(
        ["1.raw", "2.raw", "3.raw"].map((name) => t.image(name)),
      );
      await writeSector(three as string, 7, "host");
      expect(await t.attach("web", one as string, "one")).toBe("silk-disk-one\n");
      await t.attach("web", two as string, "two_2");
      await t.attach("web", three as string, "three-3", "--readonly");
      expect(await t.list("web")).toMatchObject([
        { id: "silk-disk-one", name: "one", path: one, readonly: false, state: "attached" },
        { name: "two_2", readonly: false },
        { name: "three-3", readonly: true, keep: false },
      ]);
      for (const { bdf } of await t.list("web")) expect(bdf).toMatch(/^0000:00:[0-9a-f]{2}\.0$/);
      const table = await t.silk.ok("vm", "disk", "ls", "web");
      expect(table).toMatch(/^three-3 +attached +read-only +no +0000:00:\S+ +\/.*3\.raw$/m);
      expect(await t.silk.ok("vm", "inspect", "web")).toMatch(/silk-disk-one +disk +attached/);

      expect(await ask(vm, "write one 3 alpha")).toBe("ok");
      expect(await ask(vm, "write two_2 3 beta")).toBe("ok");
      expect(await ask(vm, "read three-3 7")).toBe("data host");
      expect(await ask(vm, "write three-3 3 gamma")).toMatch(/^error/);
      expect(await t.detach("web", "one")).toBe("silk-disk-one\n");
      expect(await t.detach("web", "silk-disk-two_2")).toBe("silk-disk-two_2\n");
      await t.detach("web", "three-3");
      expect(await readSector(one as string, 3)).toMatch(/^alpha\n/);
      expect(await readSector(two as string, 3)).toMatch(/^beta\n/);
      expect(await readSector(three as string, 3)).toMatch(/^\0/);
      expect(await ask(vm, "read one 3")).toBe("error no disk one");
      expect(await t.list("web")).toEqual([]);
      // What was detached can be attached again, to this VM and to another one.
      await t.attach("web", one as string, "again");
      expect(await ask(vm, "read again 3")).toBe("data alpha");
      const other = await t.boot("other");
      await t.detach("web", "again");
      await t.attach("other", one as string, "again");
      expect(await ask(other, "read again 3")).toBe("data alpha");
      const events = await t.silk.ok("events");
      expect(events).toMatch(/device\.attached {2}web .* kind=disk {2}deviceId=silk-disk-one/);
      expect(events).toMatch(/device\.detached {2}web .* kind=disk {2}deviceId=silk-disk-one/);
    });

    test("are refused where the file cannot be one, and nothing is left of it", async (t) => {
      await t.boot("web", { dataDisks: [{ sizeBytes: 16 * 1024 ** 2, name: "db" }] });
      const good = await t.image("good.raw");
      const dir = join(t.sandbox.dir, "directory");
      await mkdir(dir);
      await symlink(join(t.sandbox.config.rootDir, "silk.db"), join(t.sandbox.dir, "link.raw"));
      await writeFile(join(t.sandbox.dir, "q.img"), qcow2Header());
      await t.image("raw.qcow2");
      await t.image("odd.raw", 1000);
      await t.image("empty.raw", 0);
      const inVm = (await (await t.engine.get("web")).inspect()).disks[0]?.path as string;
      const refused = async (file: string, name: string, vm = "web"): Promise<unknown[]> => {
        const path = resolve(t.sandbox.dir, file);
        const error: unknown = await t.engine.devices
          .attach(vm, diskKind, { path, name })
          .catch((thrown: unknown) => thrown);
        if (!isSilkError(error)) throw error;
        expect(error.message, file).not.toMatch(/undefined|\[object/);
        expect(error.hint, file).toBeDefined();
        return [error.code, error.kind];
      };
      expect(await refused("nosuch.raw", "x")).toEqual(["FILE_NOT_FOUND", "not-found"]);
      expect(await refused(dir, "x")).toEqual(["INVALID_FILE", "invalid"]);
      expect(await refused("/dev/null", "x")).toEqual(["INVALID_FILE", "invalid"]);
      expect(await refused("odd.raw", "x")).toEqual(["INVALID_DISK", "invalid"]);
      expect(await refused("empty.raw", "x")).toEqual(["INVALID_DISK", "invalid"]);
      expect(await refused("q.img", "x")).toEqual(["IMAGE_UNSUPPORTED", "unsupported"]);
      expect(await refused("raw.qcow2", "x")).toEqual(["INVALID_IMAGE", "invalid"]);
      expect(await refused("link.raw", "x")).toEqual(["INVALID_DISK", "invalid"]);
      expect(await refused(inVm, "x")).toEqual(["INVALID_DISK", "invalid"]);
      for (const name of ["", "9", "Data", "a b", "a".repeat(21), "-x", "../x"])
        expect(await refused(good, name), name).toEqual(["INVALID_DISK", "invalid"]);
      expect(await refused(good, "db")).toEqual(["DEVICE_EXISTS", "conflict"]);
      expect(await refused(good, "cocoon-cow")).toEqual(["INVALID_DISK", "invalid"]);
      expect(await refused(good, "x", "nobody")).toEqual(["VM_NOT_FOUND", "not-found"]);
      await t.attach("web", good, "x");
      expect(await refused(good, "x")).toEqual(["DEVICE_EXISTS", "conflict"]);
      expect(await refused(good, "y")).toEqual(["DISK_LOCKED", "conflict"]);
      await symlink(good, join(t.sandbox.dir, "other-name.raw"));
      expect(await refused("other-name.raw", "y")).toEqual(["DISK_LOCKED", "conflict"]);
      const byCli = ["vm", "disk", "attach", "web", "--path", "odd.raw", "--name", "z"];
      const odd = await t.silk.error(byCli);
      expect([odd.code, odd.exitCode]).toEqual(["INVALID_DISK", 2]);
      const gone = await t.silk.error(["vm", "disk", "detach", "web", "--name", "y"]);
      expect([gone.code, gone.exitCode, gone.hint]).toEqual(["DEVICE_NOT_FOUND", 3, "It has x."]);
      expect(await t.states("web")).toEqual(["x attached"]);
      expect(await t.engine.operations()).toEqual([]);
    });

    test("that another VM has are refused with its name, unless both only read", async (t) => {
      const [hot, cold, shared] = await Promise.all(
        ["h.raw", "c.raw", "s.raw"].map((name) => t.image(name)),
      );
      const owner = await t.boot("owner", { disks: [{ path: cold as string, serial: "cold" }] });
      await t.boot("web");
      await t.attach("owner", hot as string, "hot");
      const refuse = (path: string, ...flags: string[]) =>
        t.silk.error(["vm", "disk", "attach", "web", "--path", path, "--name", "x", ...flags]);
      for (const flags of [[], ["--readonly"]]) {
        const byRecord = await refuse(hot as string, ...flags);
        expect([byRecord.code, byRecord.exitCode]).toEqual(["DISK_LOCKED", 4]);
        expect(byRecord.message).toContain("is a disk of the VM owner already");
        const byLock = await refuse(cold as string, ...flags);
        expect([byLock.code, byLock.exitCode]).toEqual(["DISK_LOCKED", 4]);
        expect(byLock.message).toContain(`in use by the VM ${owner.id}`);
      }
      await t.attach("owner", shared as string, "shared", "--readonly");
      await t.attach("web", shared as string, "shared", "--readonly");
      expect((await refuse(shared as string)).code).toBe("DISK_LOCKED");
      expect(await t.states("web")).toEqual(["shared attached"]);
    });

    test("are refused while the VM does not run, or is paused", async (t) => {
      const path = await t.image("a.raw");
      const vm = await t.boot("web");
      await t.attach("web", path, "a");
      const { runtime } = await vm.inspect();
      await using client = createChClient({ socketPath: runtime?.apiSocketPath as string });
      await client.vm.pause();
      const second = await t.image("b.raw");
      for (const words of [
        ["attach", "web", "--path", second, "--name", "b"],
        ["detach", "web", "--name", "a"],
      ]) {
        const { code, exitCode, retryable } = await t.silk.error(["vm", "disk", ...words]);
        expect([code, exitCode, retryable]).toEqual(["VM_PAUSED", 4, true]);
      }
      await client.vm.resume();
      await t.detach("web", "a");
      await vm.stop({ force: true });
      const stopped = ["vm", "disk", "attach", "web", "--path", path, "--name", "a"];
      const { code, exitCode } = await t.silk.error(stopped);
      expect([code, exitCode]).toEqual(["VM_NOT_RUNNING", 4]);
      expect(await t.list("web")).toEqual([]);
    });

    test("that somebody took from the VMM are told of as such, and in nobody's way", async (t) => {
      const path = await t.image("a.raw");
      const vm = await t.boot("web");
      await t.attach("web", path, "a");
      const { runtime } = await vm.inspect();
      await using client = createChClient({ socketPath: runtime?.apiSocketPath as string });
      await client.vm.removeDevice({ id: "silk-disk-a" });
      await expect.poll(() => t.states("web"), { timeout: 20_000 }).toEqual(["a detaching"]);
      expect((await vm.inspect()).attachments).toMatchObject([{ state: "detaching" }]);
      await t.detach("web", "a");
      expect(await t.list("web")).toEqual([]);
      await t.attach("web", path, "a");
      await client.vm.removeDevice({ id: "silk-disk-a" });
      await expect.poll(() => t.states("web"), { timeout: 20_000 }).toEqual(["a detaching"]);
      await t.attach("web", path, "b");
      expect(await t.states("web")).toEqual(["b attached"]);
    });

    test("that the guest does not let go of are named, and gone when the same command is run after it has", async (t) => {
      const path = await t.image("a.raw");
      const vm = await t.boot("web");
      await t.attach("web", path, "a");
      expect(await ask(vm, "noack on")).toBe("ok");
      const began = performance.now();
      const words = ["vm", "disk", "detach", "web", "--name", "a", "--timeout", "300ms"];
      const held = await t.silk.error(words);
      expect(performance.now() - began).toBeLessThan(10_000);
      expect([held.code, held.exitCode]).toEqual(["DEVICE_NOT_RELEASED", 6]);
      expect(held.message).toContain("silk-disk-a");
      expect(await t.states("web")).toEqual(["a detaching"]);
      // The guest has it still, and can use it.
      expect(await ask(vm, "write a 1 late")).toBe("ok");
      const attach = (name: string) =>
        t.silk.error(["vm", "disk", "attach", "web", "--path", path, "--name", name]);
      const leaving = await attach("a");
      expect([leaving.code, leaving.exitCode]).toEqual(["DEVICE_LEAVING", 4]);
      expect((await attach("b")).code).toBe("DISK_LOCKED");
      const save = await t.silk.error(["snapshot", "save", "web"]);
      expect(save.message).toContain("its guest has not let go of the disk a yet");
      expect((await t.silk.error([...words.slice(0, -1), "0"])).code).toBe("DEVICE_NOT_RELEASED");
      expect(await ask(vm, "noack off")).toBe("ok");
      await t.detach("web", "a");
      expect(await t.list("web")).toEqual([]);
      expect(await readSector(path, 1)).toMatch(/^late\n/);

      // One that it lets go of while nobody waits is in nobody's way.
      await t.attach("web", path, "a");
      await ask(vm, "noack on");
      await t.silk.error(words);
      await ask(vm, "noack off");
      await expect
        .poll(async () => (await vm.inspect()).observed.devices, { timeout: 20_000 })
        .not.toContainEqual(expect.objectContaining({ id: "silk-disk-a" }));
      await t.attach("web", path, "a");
      expect(await t.states("web")).toEqual(["a attached"]);

      // A VM that ends needs no guest to let go.
      await ask(vm, "noack on");
      await t.silk.error(words);
      await vm.stop({ force: true });
      expect(await t.list("web")).toEqual([]);
      await vm.start();
      await t.attach("web", path, "a");
    });

    test("leave nothing behind when Ctrl-C ends the wait for the guest", async (t) => {
      const path = await t.image("a.raw");
      const vm = await t.boot("web");
      await t.attach("web", path, "a");
      await ask(vm, "noack on");
      const detaching = t.silk.start(["vm", "disk", "detach", "web", "--name", "a"]);
      await expect.poll(() => t.engine.operations(), { timeout: 10_000 }).toHaveLength(1);
      await expect
        .poll(async () => (await vm.inspect()).observed.raw, { timeout: 10_000 })
        .not.toMatchObject({ config: { disks: [{}, { id: "silk-disk-a" }] } });
      const busy = ["vm", "disk", "attach", "web", "--path", path, "--name", "b", "--no-wait"];
      expect((await t.silk.error(busy)).code).toBe("VM_BUSY");
      detaching.child.kill("SIGINT");
      expect(await detaching.ended).toBe(130);
      expect(await t.engine.operations()).toEqual([]);
      expect(await t.states("web")).toEqual(["a detaching"]);
      await ask(vm, "noack off");
      await t.detach("web", "a");
    });

    test("go when the VMM is killed, and when the VM is stopped, unless they are to be kept", async (t) => {
      const [one, two] = await Promise.all(["1.raw", "2.raw"].map((name) => t.image(name)));
      const vm = await t.boot("web");
      await t.attach("web", one as string, "one");
      await t.attach("web", two as string, "two", "--keep", "--readonly");
      const { runtime } = await vm.inspect();
      await host.processes.signal(runtime!.vmm, "SIGKILL");
      await host.processes.waitForExit(runtime!.vmm, { timeoutMs: 5_000 });
      expect(await t.states("web")).toEqual(["two detached"]);
      // Its file is in nobody's use now.
      const other = await t.boot("other");
      await t.attach("other", one as string, "one");
      await vm.start();
      expect(await t.list("web")).toMatchObject([
        { name: "two", state: "attached", keep: true, readonly: true },
      ]);
      expect(await ask(vm, "write two 1 x")).toMatch(/^error/);
      await t.silk.ok("vm", "stop", "web");
      expect(await t.states("web")).toEqual(["two detached"]);
      // Somebody else has it now: the VM starts without it, and says so.
      await t.attach("other", two as string, "mine");
      const started = await t.silk.run(["vm", "start", "web"]);
      expect([started.code, started.stdout]).toEqual([0, `${vm.id}\n`]);
      expect(started.stderr).toMatch(/silk-disk-two could not be attached again: .*in use by/);
      expect(await t.states("web")).toEqual(["two detached"]);
      await other.stop({ force: true });
      await t.silk.ok("vm", "stop", "web");
      await t.silk.ok("vm", "start", "web");
      expect(await t.states("web")).toEqual(["two attached"]);
      await t.silk.ok("vm", "stop", "web");
      expect(await t.detach("web", "two")).toBe("silk-disk-two\n");
      await t.silk.ok("vm", "start", "web");
      expect(await t.list("web")).toEqual([]);
    });

    test("keep a VM from being saved and from hibernating, until they are detached; those it was made with are saved with it", async (t) => {
      const path = await t.image("a.raw");
      const size = 16 * 1024 ** 2;
      const vm = await t.boot("web", {
        dataDisks: [{ sizeBytes: size, name: "db", fstype: "none" }, { sizeBytes: size }],
      });
      expect(await ask(vm, "write db 9 saved")).toBe("ok");
      await t.attach("web", path, "a", "--keep");
      for (const words of [
        ["snapshot", "save", "web"],
        ["vm", "hibernate", "web"],
      ]) {
        const { code, exitCode, message } = await t.silk.error(words);
        expect([code, exitCode]).toEqual(["SNAPSHOT_UNSUPPORTED", 5]);
        expect(message).toBe("the VM web cannot be saved: the disk a was added while it runs");
      }
      await t.detach("web", "a");
      await t.silk.ok("snapshot", "save", "web", "--name", "s");
      expect(await ask(vm, "write db 9 later")).toBe("ok");
      await t.silk.ok("vm", "clone", "s", "--name", "copy");
      const copy = await t.engine.get("copy");
      expect(await ask(copy, "read db 9")).toBe("data saved");
      const { disks } = await copy.inspect();
      expect(disks.map(({ serial }) => serial)).toEqual(["cocoon-cow", "db", "data1"]);
      expect(disks.every((disk) => disk.path.includes(copy.id))).toBe(true);
      // A kept disk is back after a restore, too; the restored guest sees it as a new one.
      await t.attach("web", path, "a", "--keep");
      await t.silk.ok("vm", "restore", "web", "s");
      expect(await t.states("web")).toEqual(["a attached"]);
      expect(await ask(vm, "read db 9")).toBe("data saved");
      expect(await ask(vm, "write a 2 restored")).toBe("ok");
      await t.detach("web", "a");
      await t.silk.ok("vm", "hibernate", "web");
      await t.silk.ok("vm", "wake", "web");
      expect(await ask(vm, "read db 9")).toBe("data saved");
    });

    test("may be made with it: the guest finds them by name, in their sizes, and they go with the VM", async (t) => {
      const { boot } = await target.spec();
      const kernel = boot.kernel;
      const size = ["--kernel", kernel, "--memory", "64M", "--cpus", "1", "--storage", "0"];
      const disks = [
        ["--data-disk", "size=16M,name=db,mount=/srv,directio=off"],
        ["--data-disk", "size=32M,fstype=none"],
      ].flat();
      const line = await t.silk.ok("vm", "debug", ...size, ...disks);
      expect(line).toMatch(/data-db\.raw,sparse=on,image_type=raw,\S*serial=db\b/);
      expect(line).toMatch(/data-data1\.raw,direct=on,sparse=on,image_type=raw,\S*serial=data1\b/);
      await t.silk.ok("vm", "run", "--name", "made", ...size, ...disks);
      const vm = await t.engine.get("made");
      const [db, data1] = (await vm.inspect()).disks;
      expect(db).toMatchObject({
        serial: "db",
        mountPoint: "/srv",
        fstype: "ext4",
        directIo: false,
      });
      expect(data1).toMatchObject({ serial: "data1", fstype: "none", sizeBytes: 2 ** 25 });
      expect(data1).not.toHaveProperty("mountPoint");
      expect(await ask(vm, `write db ${2 ** 15 - 1} last`)).toBe("ok");
      expect(await ask(vm, `write data1 ${2 ** 16 - 1} last`)).toBe("ok");
      expect(await ask(vm, `read data1 ${2 ** 16}`)).toMatch(/^error/);
      // The magic number of ext4.
      expect((await readFile(db?.path as string)).readUInt16LE(1024 + 56)).toBe(0xef53);
      expect((await readFile(data1?.path as string)).readUInt16LE(1024 + 56)).toBe(0);
      await t.silk.ok("vm", "rm", "--force", "made");
      expect(await host.files.stat(db?.path as string)).toBeUndefined();
    });

    test("are attached one after the other however many programs do it at once", async (t) => {
      await t.boot("web");
      await t.boot("other");
      const paths = await Promise.all(["1.raw", "2.raw", "3.raw"].map((name) => t.image(name)));
      const attach = (vm: string, path: string, name: string) =>
        t.silk.run(["vm", "disk", "attach", vm, "--path", path, "--name", name]);
      const codes = (outcomes: readonly { readonly code: number }[]) =>
        outcomes.map(({ code }) => code).toSorted((one, two) => one - two);
      const many = await Promise.all(
        paths.map((path, index) => attach("web", path, `disk${index}`)),
      );
      expect(codes(many)).toEqual([0, 0, 0]);
      expect((await t.states("web")).toSorted()).toEqual([0, 1, 2].map((n) => `disk${n} attached`));
      await Promise.all([0, 1, 2].map((n) => t.detach("web", `disk${n}`)));
      const sameName = await Promise.all([
        attach("web", paths[0] as string, "x"),
        attach("web", paths[1] as string, "x"),
      ]);
      expect(codes(sameName)).toEqual([0, 4]);
      await t.detach("web", "x");
      const sameFile = await Promise.all([
        attach("web", paths[0] as string, "x"),
        attach("other", paths[0] as string, "x"),
      ]);
      expect(codes(sameFile)).toEqual([0, 4]);
      expect([...(await t.states("web")), ...(await t.states("other"))]).toEqual(["x attached"]);
    });
  });
});

it("a backend that cannot add disks says so in one line", async () => {
  await using sandbox = await makeSandbox("none");
  await using engine = await createEngine({
    host,
    plugins: [tailPlugin, cloudHypervisorPlugin],
    config: { ...sandbox.config, backend: "tail" },
  });
  const size = { cpus: 1, memoryBytes: 2 ** 20, storageBytes: 2 ** 20 };
  const vm = await engine.create({ name: "web", boot: { kernel: "/none" }, ...size });
  await vm.start();
  const path = join(sandbox.dir, "a.raw");
  await writeFile(path, Buffer.alloc(512));
  const refusal = {
    code: "CAPABILITY_MISSING",
    kind: "unsupported",
    message: 'the backend "tail" cannot add disks to a running VM',
  };
  const attaching = engine.devices.attach("web", diskKind, { path, name: "a" });
  await expect(attaching).rejects.toMatchObject(refusal);
  await expect(engine.devices.list("web", diskKind)).rejects.toMatchObject(refusal);
  await vm.delete({ force: true });
});

async function readSector(path: string, sector: number): Promise<string> {
  return (await readFile(path)).toString("latin1", sector * 512, (sector + 1) * 512);
}

async function writeSector(path: string, sector: number, word: string): Promise<void> {
  const content = await readFile(path);
  content.write(`${word}\n`.repeat(512), sector * 512, 512, "latin1");
  await writeFile(path, content);
}

/** What a qcow2 image of 1 MiB begins with. */
function qcow2Header(): Buffer {
  const header = Buffer.alloc(1024);
  header.write("QFI\u00fb", 0, "latin1");
  header.writeUInt32BE(3, 4);
  header.writeUInt32BE(16, 20);
  header.writeBigUInt64BE(2n ** 20n, 24);
  header.writeUInt32BE(104, 100);
  return header;
}

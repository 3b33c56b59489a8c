import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { chSimEnv } from "@silkvm/ch-sim";
import type { VmView } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeSandbox, type Sandbox } from "./sandbox.ts";
import { type Silk, silkIn } from "./silk.ts";
import { mainTargets } from "./targets.ts";
import { canMount, inMountNamespace } from "./mounts.ts";

const { processes } = linuxHost();

describe.each(mainTargets)("bad input on $name", (target) => {
  describe.skipIf(target.missing !== undefined)("", () => {
    let sandbox: Sandbox;
    let silk: Silk;
    let create: string[];

    beforeAll(async () => {
      sandbox = await makeSandbox(target.chBinary());
      silk = silkIn(sandbox);
      const { boot } = await target.spec();
      create = [
        "vm",
        "create",
        "--kernel",
        boot.kernel,
        "--cpus",
        "1",
        "--memory",
        "64M",
        "--storage",
        "0",
      ];
    });
    afterAll(() => sandbox[Symbol.asyncDispose]());

    const nothingMade = async (): Promise<void> =>
      expect(await silk.json("vm", "list", "--all")).toEqual([]);

    it("names an unknown ref, and where to look", async () => {
      const error = await silk.error(["vm", "start", "nobody"]);
      expect(error).toMatchObject({
        code: "VM_NOT_FOUND",
        exitCode: 3,
        message: 'there is no VM "nobody"',
      });
      expect(error.hint).toContain("silk vm list");
    });

    it("lists the candidates of an ambiguous prefix", async () => {
      for (const id of ["twin-one", "twin-two"])
        await silk.ok(...create, "--id", id, "--name", `n-${id}`);
      const error = await silk.error(["vm", "inspect", "twin"]);
      expect(error).toMatchObject({ code: "REF_AMBIGUOUS", exitCode: 4 });
      expect(error.message).toContain("twin-one (n-twin-one), twin-two (n-twin-two)");
      expect((await silk.json<VmView>("vm", "inspect", "twin-o")).id).toBe("twin-one");
      await silk.ok("vm", "rm", "twin-one", "twin-two");
    });

    it.each([
      ["a bad name", ["--name", "-rf"], "INVALID_NAME", 2],
      ["too many CPUs", ["--cpus", String(cpus().length + 1)], "TOO_MANY_CPUS", 2],
      [
        "more memory than there is",
        ["--memory", String(Math.ceil(totalmem() / 4096) * 4096 + 2 ** 30)],
        "TOO_MUCH_MEMORY",
        2,
      ],
      ["a disk that is not there", ["--disk", "/nonexistent/disk.raw"], "FILE_NOT_FOUND", 3],
      ["a kernel that is not there", ["--kernel", "/nonexistent/vmlinux"], "FILE_NOT_FOUND", 3],
      ["an initrd that is not there", ["--initrd", "/nonexistent/initrd"], "FILE_NOT_FOUND", 3],
    ])("refuses %s, and makes nothing", async (_what, args, code, exitCode) => {
      const replaced = create.filter(
        (_word, index) =>
          !args.includes(create[index] ?? "") && !args.includes(create[index - 1] ?? ""),
      );
      const error = await silk.error([...replaced, ...args]);
      expect(error).toMatchObject({ code, exitCode });
      await nothingMade();
    });

    it("refuses a word that it does not know as wrong usage", async () => {
      const bad = [
        ["vm", "create", "--kernle", "x"],
        ["vm", "lst"],
        ["vmm"],
        [...create, "--memory", "lots"],
        [...create, "--disk", ",readonly"],
      ];
      for (const args of bad) expect((await silk.run(args)).code, args.join(" ")).toBe(2);
    });

    it("says which VM holds a locked disk, and that disk stays whole", async () => {
      const disk = join(sandbox.dir, "shared.raw");
      await writeFile(disk, Buffer.alloc(2 ** 20));
      await silk.ok(...create, "--name", "holder", "--disk", disk);
      await silk.ok(...create, "--name", "second", "--disk", disk);
      await silk.ok("vm", "start", "holder");
      const error = await silk.error(["vm", "start", "second"]);
      expect(error).toMatchObject({ code: "DISK_LOCKED", kind: "conflict", exitCode: 4 });
      const { id } = await silk.json<VmView>("vm", "inspect", "holder");
      expect(JSON.stringify(error)).toContain(id);
      await silk.ok("vm", "stop", "--force", "holder");
      await silk.ok("vm", "start", "second");
      await silk.ok("vm", "rm", "--force", "holder", "second");
    });

    it("gives nobody a disk to write to that silk keeps for another VM, also by another name", async () => {
      await silk.ok(...create.slice(0, -1), "16M", "--name", "owner");
      const { disks } = await silk.json<VmView>("vm", "inspect", "owner");
      const own = disks.at(-1)?.path as string;
      const link = join(sandbox.dir, "link.raw");
      await symlink(own, link);
      for (const disk of [own, link])
        expect(await silk.error([...create, "--disk", disk])).toMatchObject({
          code: "INVALID_DISK",
          exitCode: 2,
        });
      await silk.ok(...create, "--name", "reader", "--disk", `${link},readonly`);
      // Named in two ways, it is removed once.
      const { id } = await silk.json<VmView>("vm", "inspect", "owner");
      await silk.ok("vm", "rm", "owner", "reader", id);
      await nothingMade();
    });

    it("tells of a path that leads in a circle as of a bad path", async () => {
      const circle = join(sandbox.dir, "circle");
      await symlink(circle, circle);
      const error = await silk.error([...create, "--disk", circle]);
      expect(error).toMatchObject({ code: "INVALID_PATH", exitCode: 2 });
    });

    it("says that the VMM is missing, and how to name one", async () => {
      await silk.ok(...create, "--name", "novmm");
      const error = await silk.error(["vm", "start", "novmm"], {
        env: { SILK_CH_BINARY: "/nonexistent/cloud-hypervisor" },
      });
      expect(error).toMatchObject({ code: "VMM_NOT_FOUND", exitCode: 1 });
      expect(error.hint).toContain("SILK_CH_BINARY");
      await silk.ok("vm", "start", "novmm");
      await silk.ok("vm", "rm", "--force", "novmm");
    });

    it("finds out before anything is made that a socket's path is too long", async () => {
      const error = await silk.error([...create, "--run-dir", join(sandbox.dir, "r".repeat(90))]);
      expect(error).toMatchObject({ code: "SOCKET_PATH_TOO_LONG", exitCode: 2 });
      await nothingMade();
    });

    it("leaves the store of a newer silk alone", async () => {
      const rootDir = join(sandbox.dir, "newer");
      await mkdir(rootDir);
      const database = new DatabaseSync(join(rootDir, "silk.db"));
      database.exec("PRAGMA user_version = 999");
      database.close();
      for (const args of [["vm", "list"], create]) {
        expect(await silk.error([...args, "--root-dir", rootDir])).toMatchObject({
          code: "STORE_TOO_NEW",
          exitCode: 5,
        });
      }
    });

    it("says that a store is damaged, and which", async () => {
      const rootDir = join(sandbox.dir, "damaged");
      await mkdir(rootDir);
      await writeFile(join(rootDir, "silk.db"), "no database ".repeat(1000));
      for (const args of [["vm", "list"], create]) {
        const error = await silk.error([...args, "--root-dir", rootDir]);
        expect(error).toMatchObject({ code: "STORE_DAMAGED", exitCode: 1 });
        expect(error.message).toContain(join(rootDir, "silk.db"));
      }
    });

    it.skipIf(process.getuid?.() !== 0)(
      "says what may not be written, and reads what may be read",
      async () => {
        const rootDir = join(sandbox.dir, "shared-root");
        await silk.ok(...create, "--name", "seen", "--root-dir", rootDir);
        for (const path of [sandbox.dir, rootDir, join(rootDir, "silk.db")])
          await chmod(path, path.endsWith(".db") ? 0o644 : 0o755);
        const under = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
        const listed = await silk.run(["vm", "list", "--json", "--root-dir", rootDir], { under });
        expect(listed.stderr).toBe("");
        expect(JSON.parse(listed.stdout)).toMatchObject([{ name: "seen", state: "created" }]);
        expect(await silk.error([...create, "--root-dir", rootDir], { under })).toMatchObject({
          code: "PERMISSION_DENIED",
          exitCode: 1,
        });
      },
    );

    it.skipIf(!canMount)(
      "leaves nothing behind on a disk that is full, and works once there is room",
      async () => {
        const rootDir = join(sandbox.dir, "full");
        await mkdir(rootDir);
        const words = [
          ...create,
          "--name",
          "big",
          "--data-disk",
          "size=64M,fstype=ext4",
          "--root-dir",
          rootDir,
        ];
        const fullDisk = `mount -t tmpfs -o size=600k tmpfs ${rootDir}`;
        const thenRoom = `"$0" "$@" || true; mount -o remount,size=200m ${rootDir}`;
        const error = await silk.error(words, { under: inMountNamespace(fullDisk) });
        expect(error).toMatchObject({ code: "DISK_FULL", exitCode: 1 });
        const listed = ["vm", "list", "--json", "--all", "--root-dir", rootDir];
        expect(await silk.run(listed, { under: inMountNamespace(fullDisk) })).toMatchObject({
          code: 0,
          stdout: "[]\n",
        });
        const { code, stdout } = await silk.run(words, {
          under: inMountNamespace(`${fullDisk}; ${thenRoom}`),
        });
        expect({ code, lines: stdout.trim().split("\n").length }).toEqual({ code: 0, lines: 1 });
      },
    );

    it.skipIf(!canMount)("says that the disk under a store that is there is full", async () => {
      const rootDir = join(sandbox.dir, "no-room");
      await mkdir(rootDir);
      const disk = `mount -t tmpfs -o size=200k tmpfs ${rootDir}; "$0" "$@" >/dev/null`;
      const fill = `head -c 300k /dev/zero >${rootDir}/fill 2>/dev/null || true`;
      const under = inMountNamespace(`${disk}; ${fill}`);
      const error = await silk.error([...create, "--root-dir", rootDir], { under });
      expect(error).toMatchObject({ code: "DISK_FULL", exitCode: 1 });
    });

    it.skipIf(target.name === "ch-sim" || !canMount)(
      "says that there is no KVM, and what to do",
      async () => {
        await silk.ok(...create, "--name", "nokvm");
        const under = inMountNamespace("mount --bind /dev/null /dev/kvm");
        expect(await silk.error(["vm", "start", "nokvm"], { under })).toMatchObject({
          code: "KVM_UNAVAILABLE",
          exitCode: 1,
        });
        await silk.ok("vm", "start", "nokvm");
        await silk.ok("vm", "rm", "--force", "nokvm");
      },
    );

    it.skipIf(target.name !== "ch-sim")("refuses a VMM that is too old, and ends it", async () => {
      await silk.ok(...create, "--name", "old");
      const env = chSimEnv({ host: { buildVersion: "v40.0" } });
      const error = await silk.error(["vm", "start", "old"], { env });
      expect(error).toMatchObject({ code: "VMM_TOO_OLD", exitCode: 5 });
      expect(error.message).toContain("v40.0");
      expect(
        await processes.find((argv) =>
          argv.some((argument) => argument.includes(sandbox.config.runDir)),
        ),
      ).toEqual([]);
      await silk.ok("vm", "rm", "old");
    });
  });
});

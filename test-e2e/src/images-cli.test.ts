import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { VmView } from "@silkvm/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  blobsIn,
  imagesMissing,
  registryMissing,
  startRegistry,
  writeVmImage,
} from "./image-scene.ts";
import { writeOciLayout } from "./oci-image.ts";
import { makeSandbox, type Sandbox } from "./sandbox.ts";
import { type Silk, silkIn } from "./silk.ts";
import { targets } from "./targets.ts";

const [simulated] = targets;
const small = ["--cpus", "1", "--memory", "64M", "--storage", "16M"];

describe.skipIf(imagesMissing !== undefined)("the command line of images", () => {
  let sandbox: Sandbox;
  let silk: Silk;
  let layout: string;
  let digest: string;

  beforeAll(async () => {
    if (simulated === undefined) throw new Error("there is no simulator");
    sandbox = await makeSandbox(simulated.chBinary());
    silk = silkIn(sandbox);
    ({ directory: layout, digest } = await writeVmImage(sandbox, simulated, "web"));
  });
  afterAll(() => sandbox[Symbol.asyncDispose]());

  const names = async (): Promise<readonly string[]> =>
    (await silk.ok("image", "list", "--quiet")).trimEnd().split("\n").filter(Boolean);
  const removeAll = async (): Promise<void> => {
    const all = await names();
    if (all.length > 0) await silk.ok("image", "rm", ...all);
    expect(await blobsIn(sandbox)).toEqual([]);
  };

  it("lists nothing before there is any image, and writes nothing", async () => {
    expect(await silk.ok("image", "list")).toBe("NAME  TYPE  DIGEST  SIZE  OWN  PULLED\n");
    expect(await silk.json("image", "ls")).toEqual([]);
    expect(await readdir(sandbox.config.rootDir).catch(() => "none")).toBe("none");
    const help = await silk.ok("image");
    for (const command of ["pull", "list", "inspect", "rm", "import", "tag"])
      expect(help).toContain(`image ${command} `);
  });

  it("takes the same image from a layout, a tar of it and stdin, once, and prints its name alone", async () => {
    const tar = execFileSync("tar", ["-C", layout, "-cf", "-", "."]);
    const file = join(sandbox.dir, "web.tar");
    writeFileSync(file, tar);
    expect(await silk.ok("image", "import", layout, "--name", "web:1.0")).toBe("web:1.0\n");
    const blobs = await blobsIn(sandbox);
    expect(await silk.ok("image", "import", file, "--name", "web:file")).toBe("web:file\n");
    const piped = await silk.run(["image", "import", "-", "--name", "web:1.0", "--json"], {
      input: tar as unknown as string,
    });
    expect(JSON.parse(piped.stdout)).toMatchObject({ name: "web:1.0", changed: false, digest });
    expect(await blobsIn(sandbox)).toEqual(blobs);
    expect(await silk.ok("image", "tag", "web:file", "web:prod")).toBe("web:prod\n");
    expect(await names()).toEqual(["web:1.0", "web:file", "web:prod"]);
    const listed = await silk.json<{ name: string; sizeBytes: number; ownBytes: number }[]>(
      "image",
      "list",
      "--filter",
      "name=*:1.0",
    );
    expect(listed).toMatchObject([{ name: "web:1.0" }]);
    expect(listed[0]?.ownBytes).toBe(listed[0]?.sizeBytes);
  });

  it("makes VMs of it, shows what they are of, and names them when it is removed", async () => {
    const id = (await silk.ok("vm", "run", "--name", "web", ...small, "web:1.0")).trim();
    const view = await silk.json<VmView>("vm", "inspect", id);
    expect(view).toMatchObject({
      state: "running",
      config: { image: "web:1.0", imageDigest: digest },
    });
    const shown = await silk.ok("vm", "inspect", "web");
    expect(shown).toMatch(
      /Image\n {2}Name +web:1\.0\n {2}Digest +sha256:[0-9a-f]{64}\n {2}Type +oci-vm\n/,
    );
    expect(shown).toContain(" cocoon.layers=cocoon-layer2,cocoon-layer1,cocoon-layer0 ");
    expect(await silk.ok("vm", "list")).toMatch(/IMAGE.*\n.* web:1\.0 /);
    const details = await silk.json<{ usedBy: string[]; otherNames: string[] }>(
      "image",
      "inspect",
      digest.slice(7, 15),
    );
    expect(details.usedBy).toEqual(["the VM web"]);
    expect(details.otherNames).toHaveLength(2);

    const one = await silk.run(["image", "rm", "web:prod"]);
    expect(one.stdout).toBe("web:prod\n");
    expect(one.stderr).toBe("Removed web:prod: the image is still here as web:1.0, web:file.\n");
    const all = await silk.run(["image", "rm", digest]);
    expect(all.stdout).toBe("web:1.0\nweb:file\n");
    expect(all.stderr).toContain("Warning: the VM web was made of ");
    expect(all.stderr).toMatch(/Removed web:1\.0, web:file: 0B freed, .* stays for the VM web\.\n/);
    expect(await silk.run(["gc", "--dry-run"])).toMatchObject({ stdout: "" });
    await silk.ok("vm", "stop", "web", "--force");
    await silk.ok("vm", "start", "web");
    await silk.ok("vm", "rm", "web", "--force");
    const garbage = await silk.ok("gc", "--dry-run");
    expect(garbage).toMatch(/KIND +NAME +SIZE +WHY\n/);
    expect(garbage).toContain("no image, VM or snapshot needs it");
    expect((await silk.run(["gc"])).stderr).toMatch(/of images freed\.\n/);
    expect(await blobsIn(sandbox)).toEqual([]);
  });

  it("tries each of several images, and says of each what is wrong", async () => {
    await silk.ok("image", "import", layout, "--name", "web:1.0");
    const removed = await silk.run(["image", "rm", "nosuch", "web:1.0", "Bad Name"]);
    expect(removed).toMatchObject({ code: 3, stdout: "web:1.0\n" });
    expect(removed.stderr).toContain('there is no image "nosuch" here');
    expect(await blobsIn(sandbox)).toEqual([]);
    const inspected = await silk.run(["image", "inspect", "nosuch", "web:1.0", "--json"]);
    expect(inspected.code).toBe(3);
    expect(JSON.parse(inspected.stdout)).toMatchObject([
      { ref: "nosuch", error: { code: "IMAGE_NOT_FOUND" } },
      { ref: "web:1.0", error: { code: "IMAGE_NOT_FOUND" } },
    ]);
  });

  it.each([
    [["image", "pull", "Bad Name"], "INVALID_IMAGE_NAME", 2],
    [["image", "pull", "a", "b", "--name", "c"], "USAGE", 2],
    [["image", "pull", "http://x.example/a.raw", "--checksum", "md5:1"], "INVALID_CHECKSUM", 2],
    [["image", "import", "/nonexistent"], "FILE_NOT_FOUND", 3],
    [["image", "import", "/dev/null"], "NOT_A_FILE", 2],
    [["image", "tag", "nosuch", "new"], "IMAGE_NOT_FOUND", 3],
    [["image", "list", "--filter", "x"], "USAGE", 2],
    [["vm", "create", "nosuch.qcow2"], "FILE_NOT_FOUND", 3],
    [["vm", "create", "--pull", "never", "nosuch:1"], "IMAGE_NOT_FOUND", 3],
    [["vm", "debug", "nosuch:1"], "IMAGE_NOT_FOUND", 3],
    [["vm", "create", ""], "INVALID_SPEC", 2],
    [["vm", "create", "--user-data", "/nonexistent", "web:1"], "FILE_NOT_FOUND", 3],
    [["vm", "create", "--ssh-key", "/nonexistent", "web:1"], "FILE_NOT_FOUND", 3],
  ] as const)("refuses silk %j", async (args, code, exitCode) => {
    const error = await silk.error([...args]);
    expect(error).toMatchObject({ code, exitCode });
    expect(error.message).not.toBe("");
  });

  it("says of an image without a kernel, and of one for another machine, what it is", async () => {
    const other = join(sandbox.dir, "container-layout");
    writeOciLayout(other, [{ "etc/os-release": "ID=x\n" }], { tag: "1.0" });
    await silk.ok("image", "import", other, "--name", "plain:1.0");
    const { stdout } = await silk.run(["image", "inspect", "plain:1.0"]);
    expect(stdout).toContain("oci-container: a container, which has no kernel");
    const foreign = join(sandbox.dir, "foreign-layout");
    writeOciLayout(foreign, [{ "etc/os-release": "ID=x\n" }], { architecture: "s390x" });
    const error = await silk.error(["image", "import", foreign, "--name", "plain:2.0"]);
    expect(error).toMatchObject({ code: "ARCHITECTURE_MISSING", exitCode: 5 });
    await silk.ok("image", "rm", "plain:1.0");
  });

  it("prints commands for a VM of an image that a shell can run, and makes nothing", async () => {
    await silk.ok("image", "import", layout, "--name", "web:1.0");
    const text = await silk.ok("vm", "debug", ...small, "--id", "pasted", "web:1.0");
    expect(await silk.json("vm", "list", "--all")).toEqual([]);
    expect(text).toContain("serial=cocoon-layer2");
    const lines = text.trimEnd().split("\n");
    for (const line of lines.slice(0, -1)) execFileSync("sh", ["-c", line]);
    const paths = [...(lines.at(-1) ?? "").matchAll(/path=([^, ']+)/g)].map(([, path]) => path);
    expect(paths.length).toBeGreaterThanOrEqual(4);
    await rm(join(sandbox.config.rootDir, "vms"), { recursive: true });
    await removeAll();
  });

  it("leaves the seed of a cloud image out of the commands, and says so", async () => {
    const disk = join(sandbox.dir, "cloud.raw");
    const firmware = join(sandbox.dir, "CLOUDHV.fd");
    writeFileSync(disk, Buffer.concat([Buffer.alloc(510), Buffer.from([0x55, 0xaa])]));
    execFileSync("truncate", ["-s", "4M", disk]);
    writeFileSync(firmware, "\u007fELF");
    await silk.ok("image", "import", disk, "--name", "cloud:1");
    const told = await silk.run(["vm", "debug", "--firmware", firmware, "--user", "me", "cloud:1"]);
    expect(told.code).toBe(0);
    expect(told.stdout).toContain("/cow.");
    expect(told.stdout).not.toContain("cidata");
    expect(told.stderr).toContain("(cidata) is left out: only silk makes it");
    await removeAll();
  });

  it("offers the names of images where one is to be named", async () => {
    await silk.ok("image", "import", layout, "--name", "web:1.0");
    const complete = async (...words: string[]) =>
      (await silk.ok("__complete", "fish", "--", ...words)).split("\n");
    for (const words of [
      ["vm", "run"],
      ["image", "rm"],
      ["image", "tag"],
    ])
      expect((await complete(...words, ""))[0]).toMatch(/^web:1\.0\toci-vm, /);
    expect(await complete("image", "rm", "web:1.0", "")).toEqual([":nothing", ""]);
    expect(await complete("vm", "run", "--pull", "")).toEqual([
      "missing",
      "always",
      "never",
      ":nothing",
      "",
    ]);
    await removeAll();
  });

  describe.skipIf(registryMissing !== undefined)("with a registry", () => {
    it("pulls by tag and digest, sees that it is up to date, and says what is not there", async () => {
      await using registry = await startRegistry(sandbox.dir);
      registry.push(layout, "acme/web:1.4");
      const name = `${registry.host}/acme/web:1.4`;
      const pulled = await silk.run(["image", "pull", name]);
      expect(pulled).toMatchObject({ code: 0, stdout: `${name}\n` });
      expect(pulled.stderr).toMatch(/ is oci-vm, .*\.\n$/);
      const again = await silk.run(["image", "pull", name, "--policy", "missing"]);
      expect(again.stderr).toContain(" is up to date.");
      const { image } = { image: await silk.json<{ digest: string }>("image", "inspect", name) };
      const pinned = `${registry.host}/acme/web@${image.digest}`;
      const both = await silk.run([
        "image",
        "pull",
        pinned,
        `${registry.host}/acme/web:9`,
        "--json",
      ]);
      expect(both.code).toBe(3);
      expect(JSON.parse(both.stdout)).toMatchObject([
        { name: pinned, changed: true, digest: image.digest },
        { ref: `${registry.host}/acme/web:9`, error: { code: "IMAGE_NOT_FOUND" } },
      ]);
      await removeAll();
    });

    it("makes eight VMs of one image at once: it is pulled, and each has a disk of its own, and one set of blobs", async () => {
      await using registry = await startRegistry(sandbox.dir);
      registry.push(layout, "acme/web:1.4");
      const name = `${registry.host}/acme/web:1.4`;
      const ids = await Promise.all(
        Array.from({ length: 8 }, async (_, index) =>
          (await silk.ok("vm", "run", "--name", `job-${index}`, ...small, name)).trim(),
        ),
      );
      expect(new Set(ids).size).toBe(8);
      const views = await silk.json<VmView[]>("vm", "inspect", ...ids);
      const blobs = await blobsIn(sandbox);
      for (const { state, imageBlobIds } of views) {
        expect(state).toBe("running");
        expect([...imageBlobIds].toSorted()).toEqual(blobs);
      }
      const own = views.flatMap(({ disks }) => disks.filter(({ role }) => role === "cow"));
      expect(new Set(own.map(({ path }) => path)).size).toBe(8);
      for (const directory of ["downloads", "work"])
        expect(await readdir(join(sandbox.config.rootDir, "images", directory))).toEqual([]);
      await silk.ok("image", "rm", name);
      await silk.ok("vm", "rm", "--force", ...ids);
      await silk.ok("gc");
      expect(await blobsIn(sandbox)).toEqual([]);
    }, 120_000);
  });
});

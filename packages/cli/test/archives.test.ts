import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, constants, openSync } from "node:fs";
import { copyFile, mkdir, readdir, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeSandbox, outcomeOf, type Sandbox, silkPath } from "./support/sandbox.ts";
import { runOnTerminal } from "./support/terminal.ts";

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await makeSandbox();
  // More than a pipe holds, and nothing that could be packed.
  const disk = join(sandbox.dir, "disk.raw");
  await writeFile(disk, randomBytes(4 * 1024 ** 2));
  await sandbox.ok("vm", "run", "--name", "web", "--disk", disk, ...sandbox.vmFlags);
  await sandbox.ok("snapshot", "save", "web", "--name", "golden");
});
afterAll(() => sandbox[Symbol.asyncDispose]());

/** Runs a line of shell in the sandbox, in which `silk` is the program. */
function shell(line: string): { code: number | null; stdout: string; stderr: string } {
  const script = `silk() { '${process.execPath}' '${silkPath}' "$@"; }; set -o pipefail; ${line}`;
  try {
    const stdout = execFileSync("/bin/bash", ["-c", script], {
      env: sandbox.env,
      cwd: sandbox.dir,
      stdio: ["ignore", "pipe", "pipe"],
      maxBuffer: 1024 ** 3,
    });
    return { code: 0, stdout: stdout.toString(), stderr: "" };
  } catch (error) {
    const { status, stdout, stderr } = error as {
      status: number | null;
      stdout: Buffer;
      stderr: Buffer;
    };
    return { code: status, stdout: stdout.toString(), stderr: stderr.toString() };
  }
}

describe("an export", () => {
  it("is a tar that is named, whole and for its owner alone", async () => {
    const { dir } = sandbox;
    const { code, stdout, stderr } = await sandbox.silk([
      "snapshot",
      "export",
      "golden",
      "-o",
      "golden.tar",
    ]);
    expect([code, stdout]).toEqual([0, ""]);
    expect(stderr).toMatch(
      /Exported golden to golden\.tar \(\S+\): \S+ of data in \S+ m?s, \S+\/s\.\n$/,
    );
    expect((await stat(join(dir, "golden.tar"))).mode & 0o777).toBe(0o600);
    const names = execFileSync("tar", ["-tf", join(dir, "golden.tar")]).toString();
    expect(names.split("\n")).toEqual(expect.arrayContaining(["silk.json", "memory-ranges"]));
    expect((await readdir(dir)).filter((name) => name.endsWith(".part"))).toEqual([]);
  });

  it("does not replace a file, unless by force", async () => {
    const { json, dir } = sandbox;
    await writeFile(join(dir, "mine.tar"), "mine");
    expect(await json("snapshot", "export", "golden", "-o", "mine.tar")).toMatchObject({
      error: { code: "FILE_EXISTS", kind: "conflict" },
    });
    const told = await json("snapshot", "export", "golden", "-o", "mine.tar", "--force");
    const { size } = await stat(join(dir, "mine.tar"));
    expect(told).toMatchObject({ name: "golden", path: join(dir, "mine.tar"), sizeBytes: size });
  });

  it("is named after the snapshot where stdout is for JSON", async () => {
    const { json, dir } = sandbox;
    expect(await json("snapshot", "export", "golden", "--zstd")).toMatchObject({
      path: join(dir, "golden.tar.zst"),
    });
  });

  it("is packed as its name or a flag says", () => {
    shell("silk snapshot export golden -o a.tar.gz; silk snapshot export golden --gzip >b");
    expect(shell("gzip -t <a.tar.gz && gzip -t <b && echo both").stdout).toBe("both\n");
  });

  it("fails where its place or the snapshot is not there, and leaves nothing", async () => {
    const before = await readdir(sandbox.dir);
    expect(shell("silk snapshot export golden -o none/golden.tar").code).toBe(3);
    expect(shell("silk snapshot export nosuch -o x.tar").code).toBe(3);
    expect(shell("silk snapshot export golden -o .").code).toBe(2);
    expect(await readdir(sandbox.dir)).toEqual(before);
  });

  it("to a pipe whose reader goes away is a failure", () => {
    const { code, stderr } = shell("silk snapshot export golden | head -c 100 >/dev/null");
    expect(code).toBe(1);
    expect(stderr).toContain("Error: who reads stdout went away before the archive's end\n");
  });

  it("that is interrupted ends with 130", async () => {
    const fifo = join(sandbox.dir, "fifo");
    execFileSync("mkfifo", [fifo]);
    const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    const child = sandbox.spawn(["snapshot", "export", "golden", "-o", "fifo"]);
    const outcome = outcomeOf(child);
    await new Promise<void>((resolve) => child.stderr.once("data", () => resolve()));
    child.kill("SIGINT");
    const { code, stderr } = await outcome;
    closeSync(reader);
    expect(code).toBe(130);
    expect(stderr).toMatch(/Error: cannot export golden: aborted\n$/);
  });
});

describe("an import", () => {
  it("takes in what an export wrote, packed or not, from a file and from a pipe", async () => {
    const { ok, json } = sandbox;
    const id = await ok("snapshot", "import", "golden.tar", "--name", "from-file");
    expect(await json("snapshot", "inspect", "from-file")).toMatchObject({ id, imported: true });
    for (const packing of ["", "--gzip", "--zstd"]) {
      const name = `piped${packing}`;
      const { code, stdout, stderr } = shell(
        `silk snapshot export golden ${packing} | silk snapshot import --name ${name} --description 'by pipe' --json`,
      );
      expect([code, stderr]).toEqual([0, ""]);
      expect(JSON.parse(stdout)).toMatchObject({ name, description: "by pipe", imported: true });
    }
    const told = await sandbox.silk(["snapshot", "import", "golden.tar", "--name", "told"]);
    expect(told.stderr).toMatch(/Imported golden\.tar as told: \S+ of data in .*\/s\.\n$/);
    const clone = await ok("vm", "clone", "from-file", "--name", "clone");
    expect(await json("vm", "inspect", "clone")).toMatchObject({ id: clone, state: "running" });
  });

  it("refuses what is no whole archive, and nothing is left of it", async () => {
    const { dir, ok, json } = sandbox;
    const before = await ok("snapshot", "list", "-q");
    await writeFile(join(dir, "garbage"), "garbage".repeat(1000));
    await copyFile(join(dir, "golden.tar"), join(dir, "short.tar"));
    const { size } = await stat(join(dir, "short.tar"));
    await truncate(join(dir, "short.tar"), Math.floor(size / 2));
    for (const file of ["garbage", "short.tar"]) {
      const { error } = await json<{ error: { code: string } }>("snapshot", "import", file);
      expect(error.code, file).toBe("ARCHIVE_INVALID");
    }
    expect((await sandbox.silk(["snapshot", "import"])).code).toBe(2);
    expect(await json("snapshot", "import", "nosuch.tar")).toMatchObject({
      error: { code: "FILE_NOT_FOUND" },
    });
    expect(await json("snapshot", "import", "golden.tar")).toMatchObject({
      error: { code: "SNAPSHOT_EXISTS" },
    });
    expect(await ok("snapshot", "list", "-q")).toBe(before);
    expect(await json("gc", "--dry-run")).toEqual([]);
  });

  it("that is interrupted leaves nothing", async () => {
    const before = await sandbox.ok("snapshot", "list", "-q");
    const child = spawn(process.execPath, [silkPath, "snapshot", "import"], {
      env: { ...sandbox.env },
      cwd: sandbox.dir,
    });
    const outcome = outcomeOf(child);
    child.stdin.on("error", () => {});
    child.stdin.write(Buffer.alloc(1024));
    await new Promise<void>((resolve) => child.stderr.once("data", () => resolve()));
    child.kill("SIGINT");
    const { code, stdout } = await outcome;
    expect([code, stdout]).toEqual([130, ""]);
    expect(await sandbox.ok("snapshot", "list", "-q")).toBe(before);
    expect(await sandbox.json("gc", "--dry-run")).toEqual([]);
  });
});

describe("a directory", () => {
  it("is made of a snapshot, and a VM comes up from it", async () => {
    const { dir, ok, json } = sandbox;
    const made = await json("snapshot", "export", "golden", "--to-dir", "golden.d");
    expect(made).toMatchObject({ name: "golden", path: join(dir, "golden.d") });
    expect(await readdir(join(dir, "golden.d"))).toContain("silk.json");
    const clone = await ok("vm", "clone", "--from-dir", "golden.d", "--name", "from-dir");
    expect(await json("vm", "inspect", "from-dir")).toMatchObject({ id: clone, state: "running" });
    expect(await ok("vm", "restore", "--from-dir", "golden.d", "from-dir")).toBe(clone);
  });

  it("that is not empty, or holds no snapshot, is refused", async () => {
    const { dir, json } = sandbox;
    await mkdir(join(dir, "full"));
    await writeFile(join(dir, "full/mine"), "mine");
    expect(
      (await sandbox.silk(["snapshot", "export", "golden", "--to-dir", "full"])).code,
    ).not.toBe(0);
    expect(await readdir(join(dir, "full"))).toEqual(["mine"]);
    expect(await json("vm", "clone", "--from-dir", "full")).toMatchObject({
      error: { code: "SNAPSHOT_NOT_FOUND" },
    });
    expect(await json("snapshot", "import", "full")).toMatchObject({
      error: { code: "NOT_A_FILE", hint: expect.stringContaining("--from-dir") },
    });
  });
});

describe("on a terminal", () => {
  it("an archive goes to a file, and never to the screen", async () => {
    await sandbox.ok("snapshot", "save", "web", "--name", "shown");
    await using named = runOnTerminal(sandbox, ["snapshot", "export", "shown"]);
    await named.see(/Exported shown to shown\.tar \(/);
    expect(await named.ended()).toBe(0);
    expect(await readdir(sandbox.dir)).toContain("shown.tar");
  });

  it("is refused where it would be shown", async () => {
    await using shown = runOnTerminal(sandbox, ["snapshot", "export", "golden", "-o", "-"]);
    await shown.see(/an archive is nothing to print on a terminal/);
    expect(await shown.ended()).toBe(2);
    await using typed = runOnTerminal(sandbox, ["snapshot", "import"]);
    await typed.see(/the archive is missing/);
    expect(await typed.ended()).toBe(2);
  });

  it("a save says how long the guest stood still", async () => {
    await using saving = runOnTerminal(sandbox, ["snapshot", "save", "web", "--name", "timed"]);
    await saving.see(/Saved as timed; the guest stood still for \S+ m?s\./);
    expect(await saving.ended()).toBe(0);
  });
});

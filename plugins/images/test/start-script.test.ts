import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunSpec } from "@silkvm/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { containerRun, runDiskContent } from "../src/index.ts";
import { applets } from "../src/kit/applets.ts";
import { has, isRoot } from "./bed.ts";

const busybox = "/bin/busybox";
const guest = fileURLToPath(new URL("../guest", import.meta.url));
const canEnter = isRoot && existsSync(busybox) && has("unshare") && canUnshare();
if (!canEnter) console.warn("skipped: root, unshare or busybox-static is not there");

function canUnshare(): boolean {
  return spawnSync("unshare", ["-m", "-p", "-f", "true"]).status === 0;
}

/** What the boot does before it: `$1` becomes the root of a mount namespace. */
const enter = `set -e
mount --bind "$1" "$1"; cd "$1"
mount -t proc proc proc
mount -t tmpfs dev dev
mkdir dev/.silk
mknod -m 0666 dev/null c 1 3
cp "$2"/start.sh "$2"/go.sh "$3" dev/.silk/
for applet in $4; do ln -s busybox "dev/.silk/$applet"; done
cp "$1.run" dev/.silk/run; chmod 0400 dev/.silk/run
mkfifo -m 0666 dev/.silk/dropped dev/.silk/go
mount --move . /
exec chroot . /dev/.silk/busybox sh /dev/.silk/start.sh`;

const programs = ["cat", "env", "id", "ls", "printf", "pwd", "sh"];

/** The same as in a guest, without one: who the program is, what it finds, and what is said where it cannot be run. */
describe.skipIf(!canEnter)("the program of a container", () => {
  let root: string;

  beforeEach(() => {
    root = join(mkdtempSync(join(tmpdir(), "silk-start-")), "root");
    for (const directory of ["bin", "dev", "etc", "proc", "secret"])
      mkdirSync(join(root, directory), { recursive: true });
    copyFileSync(busybox, join(root, "bin/busybox"));
    for (const program of programs) symlinkSync("busybox", join(root, "bin", program));
    write("etc/passwd", [
      "root:x:0:0:root:/root:/bin/sh",
      "app:x:1000:1001::/home/app:/bin/sh",
      "odd:x:0x10:5:::",
      "last:x:7:8::/last:",
    ]);
    write("etc/group", ["root:x:0:", "app:x:1001:", "audio:x:77:other,app", "last:x:88:app"]);
  });
  afterEach(() => {
    rmSync(join(root, ".."), { recursive: true });
  });

  /** Without an end of the last line, as some images have it. */
  function write(path: string, lines: readonly string[]): void {
    writeFileSync(join(root, path), lines.join("\n"));
  }

  function run(spec: RunSpec): { code: number | null; stdout: string; stderr: string } {
    const image = { entrypoint: [], cmd: ["id"], env: ["PATH=/bin:"], labels: {} };
    const what = containerRun({ ...image, user: "", workingDir: "" }, spec);
    writeFileSync(`${root}.run`, runDiskContent(what));
    const words = ["-m", "-p", "-f", "sh", "-c", enter, "sh", root, guest, busybox];
    const { status, stdout, stderr } = spawnSync("unshare", [...words, applets.join(" ")], {
      encoding: "utf8",
      timeout: 30_000,
    });
    return { code: status, stdout, stderr };
  }

  test.for([
    ["", "uid=0(root) gid=0(root) groups=0(root)"],
    ["app", "uid=1000(app) gid=1001(app) groups=77(audio),88(last),1001(app)"],
    ["1000", "uid=1000(app) gid=1001(app) groups=77(audio),88(last),1001(app)"],
    ["app:audio", "uid=1000(app) gid=77(audio) groups=77(audio)"],
    ["last:", "uid=7(last) gid=8 groups=8"],
    ["4242", "uid=4242 gid=0(root) groups=0(root)"],
    ["4294967294:4294967293", "uid=4294967294 gid=4294967293 groups=4294967293"],
  ] as const)("of the user %j is %s", ([user, who]) => {
    const { stdout, stderr } = run({ user });
    const sorted = stdout.trim().replace(/groups=(.*)/, (_all, groups: string) => {
      const byId = groups.split(",").toSorted((a, b) => Number.parseInt(a) - Number.parseInt(b));
      return `groups=${byId.join(",")}`;
    });
    expect(sorted, stderr).toBe(who);
  });

  test.for([
    [{ user: "nobody" }, 125, "there is no user nobody"],
    [{ user: "app:nobody" }, 125, "there is no group nobody"],
    [{ user: "-1" }, 125, "there is no user -1"],
    // Cut to 32 bits it would be root.
    [{ user: "4294967296" }, 125, "4294967296 is no number of a user"],
    [{ user: "1:99999999999999999999" }, 125, "99999999999999999999 is no number"],
    [{ user: "odd" }, 125, "0x10 is no number of a user"],
    [{ args: ["nothing"] }, 127, "nothing: there is no such program in the image's PATH"],
    [{ args: ["/bin/nothing"] }, 127, "/bin/nothing: there is no such program"],
    [{ args: ["/etc/passwd"] }, 126, "/etc/passwd: permission denied"],
    [{ args: ["/etc"] }, 126, "/etc: is a directory"],
    [{ workingDir: "/etc/passwd" }, 126, "the working directory /etc/passwd cannot be made"],
  ] as const)("%j ends with %i: %s", ([spec, code, says]) => {
    const { stderr, ...outcome } = run(spec);
    expect(outcome, stderr).toEqual({ code, stdout: "" });
    expect(stderr).toContain(says);
  });

  test("has its arguments, variables and directory as they are, whatever is in them", () => {
    const args = ["a b", "", "new\nline", "\u00fc\u2713", "it's", "$HOME `id` *", "\\n", "-x"];
    expect(run({ args: ["printf", "[%s]", ...args] }).stdout).toBe(
      args.map((arg) => `[${arg}]`).join(""),
    );
    const env = ["A=new\nline", "B= x ", "C=", "D=$(id)", "a.b=1", "HOSTNAME=me"];
    expect(run({ args: ["env"], env, user: "app" }).stdout).toBe(
      `HOME=/home/app\nPATH=/bin:\n${env.join("\n")}\n`,
    );
    const made = run({ args: ["ls", "-ldn", "."], workingDir: "/a b/c", user: "app" });
    expect(made.stdout).toMatch(/^\S+\s+\d+ 1000\s+1001 /);
    const long = "x".repeat(100_000);
    expect(run({ args: ["sh", "-c", "echo ${#LONG}"], env: [`LONG=${long}`] }).stdout).toBe(
      "100000\n",
    );
  });

  test("is found where a later directory of PATH has it, also in an image without a shell, or with an /etc elsewhere", () => {
    write("secret/busybox-tool", ["refused"]);
    mkdirSync(join(root, "tools"));
    copyFileSync(busybox, join(root, "tools/busybox-tool"));
    chmodSync(join(root, "tools/busybox-tool"), 0o755);
    rmSync(join(root, "bin/sh"));
    cpSync(join(root, "etc"), join(root, "usr/etc"), { recursive: true });
    rmSync(join(root, "etc"), { recursive: true });
    symlinkSync("usr/etc", join(root, "etc"));
    const env = ["PATH=/secret:/tools"];
    expect(run({ args: ["busybox-tool", "id", "-un"], env, user: "app" })).toMatchObject({
      code: 0,
      stdout: "app\n",
    });
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeSandbox, type Sandbox } from "./support/sandbox.ts";

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await makeSandbox();
});
afterAll(() => sandbox[Symbol.asyncDispose]());

it("global flags may stand before the command", async () => {
  expect(await sandbox.ok("--json", "vm", "list", "--quiet")).toBe("[]");
  const { code, stdout } = await sandbox.silk(["--json", "--no-wait", "vm", "start", "nosuch"]);
  expect([code, JSON.parse(stdout)]).toMatchObject([3, { error: { code: "VM_NOT_FOUND" } }]);
});

describe("a command line that is wrong", () => {
  it.each([
    ["vm lits", 'there is no command "vm lits"', "Did you mean `silk vm list`?"],
    ["frobnicate", 'there is no command "frobnicate"', "`silk --help` shows the commands."],
    [
      "vm list web",
      '`silk vm list` takes no argument "web"',
      "`silk vm list --help` shows how it is used.",
    ],
    ["vm lits --help", 'there is no command "vm lits"', "Did you mean `silk vm list`?"],
    ["help vm lits", 'there is no command "vm lits"', "Did you mean `silk vm list`?"],
    ["vm list --jsn", "there is no flag --jsn", "Did you mean --json?"],
    ["vm create --kernl=x", "there is no flag --kernl", "Did you mean --kernel?"],
    ["vm list -x", "there is no flag -x", "`silk vm list --help` shows how it is used."],
    ["vm start", "the argument VM is missing", "`silk vm start --help` shows how it is used."],
    ["vm console a b", 'unexpected argument "b"', "`silk vm console --help` shows how it is used."],
    [
      "vm create --memory 12x",
      '--memory: "12x" is no size: it is no number with an optional unit (K, M, G, T, P)',
      "Sizes are plain bytes, or carry a binary unit: 512M, 2G, 1.5GiB.",
    ],
    [
      "vm create --memory",
      "--memory needs a value",
      "`silk vm create --help` shows how it is used.",
    ],
    [
      "vm create --memory 1G --memory 2G",
      "--memory is given twice",
      "`silk vm create --help` shows how it is used.",
    ],
    [
      "vm create --cpu 0",
      "--cpus: 0 is too small: it must be at least 1",
      "`silk vm create --help` shows how it is used.",
    ],
    [
      "vm create",
      "a VM needs something to boot",
      "Name an image (silk vm run IMAGE), or give --kernel FILE or --firmware FILE.",
    ],
    [
      "vm run --ssh-key x",
      "--ssh-key is for a VM of an image, and no image is named",
      "Name one behind the flags: silk vm run [FLAGS] IMAGE",
    ],
    [
      "vm fs attach web --tag a",
      "either --dir or --socket is needed",
      "--dir DIR shares a directory; --socket SOCKET is for a virtiofsd of your own.",
    ],
    [
      "vm fs attach web --tag a --dir b --socket c",
      "--dir and --socket: only one of them can be given",
      "`silk vm fs attach --help` shows how it is used.",
    ],
    [
      "vm fs attach web --tag a --socket c --readonly",
      "--readonly is for --dir: what your own virtiofsd does, you say when you start it",
      "`silk vm fs attach --help` shows how it is used.",
    ],
    [
      "vm fs attach web --tag a --dir=",
      "--dir: the path is missing",
      "`silk vm fs attach --help` shows how it is used.",
    ],
    [
      "vm fs attach web --tag a --dir b --cache some",
      '--cache: "some" is none of auto, always, never, metadata',
      "`silk vm fs attach --help` shows how it is used.",
    ],
    [
      "vm create --kernel a --firmware b",
      "--firmware and --kernel do not go together",
      "A firmware finds its kernel on the disk; --kernel boots one directly.",
    ],
    [
      "vm create --kernel a --disk b,ro",
      '--disk: there is no key "ro"',
      "The keys are readonly, serial, direct; a comma in a value is written twice.",
    ],
    [
      "vm create --kernel a --data-disk name=x",
      "--data-disk: the size is missing",
      "Write --data-disk size=10G,name=db,mount=/srv",
    ],
    ["vm create --kernel a --label x", '--label: "x" is no label', "Write --label key=value"],
    [
      "vm stop web --timeout 3x",
      '--timeout: "3x" is no duration: it is no number with an optional unit (ms, s, m, h, d)',
      "Durations are 30 (seconds), 500ms, 30s, 2m, 1m30s, 1h.",
    ],
    [
      "vm list --timeout 0",
      "--timeout: 0 leaves no time to do anything",
      "`silk vm list --help` shows how it is used.",
    ],
    [
      "vm list --log-level loud",
      '--log-level: "loud" is none of debug, info, warn, error, silent',
      "`silk vm list --help` shows how it is used.",
    ],
    [
      "vm console web --escape-char ab",
      '--escape-char: "ab" is no escape character',
      "Give ^] or another ^ with a letter, one character, or none.",
    ],
    [
      "vm status --interval 1ms",
      "--interval: it must be at least 100ms",
      "`silk vm status --help` shows how it is used.",
    ],
    [
      "completion tcsh",
      '"tcsh" is none of bash, zsh, fish',
      "`silk completion --help` shows how it is used.",
    ],
    [
      "vm clone",
      "the snapshot is missing",
      "Name one that `silk snapshot list` shows, or give --from-dir DIR.",
    ],
    [
      "vm clone golden --from-dir d",
      "SNAPSHOT and --from-dir do not go together",
      "Give one of them: a snapshot that silk keeps, or a directory that holds one.",
    ],
    [
      "vm clone golden --id x --count 2",
      "--id and --count do not go together",
      "An id is that of one VM.",
    ],
    [
      "vm clone golden --count 0",
      "--count: 0 is too small: it must be at least 1",
      "`silk vm clone --help` shows how it is used.",
    ],
    [
      "vm wake web --restore-mode fast",
      '--restore-mode: "fast" is none of auto, copy, ondemand, cow',
      "`silk vm wake --help` shows how it is used.",
    ],
    [
      "snapshot svae web",
      'there is no command "snapshot svae"',
      "Did you mean `silk snapshot save`?",
    ],
    ["snapsot list", 'there is no command "snapsot"', "Did you mean `silk snapshot`?"],
    [
      "snapshot rm",
      "the argument SNAPSHOT is missing",
      "`silk snapshot rm --help` shows how it is used.",
    ],
    [
      "snapshot export golden --gzip --zstd",
      "--gzip and --zstd do not go together",
      "`silk snapshot export --help` shows how it is used.",
    ],
    [
      "snapshot export golden --to-dir d --output f",
      "--to-dir and --output do not go together",
      "--to-dir makes a new directory with the snapshot's files as they are.",
    ],
    ["config get rootdir", 'there is no setting "rootdir"', "Did you mean rootDir?"],
  ])("silk %s: %s", async (line, message, hint) => {
    const words = line.split(" ");
    const [people, programs] = await Promise.all([
      sandbox.silk(words),
      sandbox.silk([...words, "--json"]),
    ]);
    expect(people.stdout).toBe("");
    expect(people.stderr.split("\n")).toEqual([
      `Error: ${message}`,
      expect.stringContaining(`Hint: ${hint}`),
      "",
    ]);
    expect(people.code).toBe(2);
    expect(JSON.parse(programs.stdout)).toMatchObject({
      error: { code: "USAGE", kind: "invalid", retryable: false },
    });
    expect(programs.stderr).toBe("");
    expect(programs.code).toBe(2);
  });

  it("does not take JSON for wanted behind two dashes", async () => {
    const { stdout, code } = await sandbox.silk(["vm", "start", "nosuch", "--", "--json"]);
    expect([stdout, code]).toEqual(["", 3]);
  });
});

describe("help", () => {
  it.each([["--help"], ["-h"], ["help"], []])("is shown for silk %s", async (...words) => {
    const { stdout, code } = await sandbox.silk(words);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^silk: run microVMs from the command line\n\nVERSION\n  silk\//);
    expect(stdout).toContain("TOPICS\n  config    show and change settings");
  });

  it("shows a topic's commands", async () => {
    const { stdout, code } = await sandbox.silk(["vm"]);
    expect(code).toBe(0);
    expect(stdout).toContain("vm create     make a VM and print its id; nothing runs yet");
    expect(stdout).not.toContain("vm ls");
  });

  it("names the global flags last", async () => {
    const { stdout } = await sandbox.silk(["vm", "create", "--help"]);
    const groups = stdout.match(/^[A-Z ]*FLAGS$/gm);
    expect(groups).toEqual([
      "FLAGS",
      "IMAGE FLAGS",
      "CONTAINER FLAGS",
      "BOOT FLAGS",
      "DISK FLAGS",
      "NETWORK FLAGS",
      "TUNING FLAGS",
      "GLOBAL FLAGS",
    ]);
  });
});

describe("version", () => {
  it("is the same by command and by flag", async () => {
    const version = await sandbox.ok("version");
    expect(version).toMatch(/^silk \d+\.\d+\.\d+\S* \(node \d+\.\d+\.\d+, linux-\w+\)$/);
    expect(await sandbox.ok("--version")).toBe(version);
    expect(await sandbox.ok("-v")).toBe(version);
  });

  it("is one object for programs", async () => {
    expect(await sandbox.json("version")).toEqual({
      silk: expect.stringMatching(/^\d+\.\d+\.\d+/),
      node: process.versions.node,
      platform: process.platform,
      arch: process.arch,
    });
  });
});

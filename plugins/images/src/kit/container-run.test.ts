import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ContainerRun } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, test } from "vitest";
import type { ImageRunConfig } from "../store/image-record.ts";
import { containerRun } from "./container-run.ts";
import { readExitStatus } from "./exit-status.ts";
import { runDiskContent } from "./run-disk.ts";

const config: ImageRunConfig = {
  entrypoint: ["/entry"],
  cmd: ["serve", "--port=80"],
  env: ["PATH=/opt/bin", "A=1", "B=2"],
  user: "app",
  workingDir: "/srv",
  stopSignal: "SIGQUIT",
  labels: {},
};
const bare: ImageRunConfig = {
  entrypoint: [],
  cmd: [],
  env: [],
  user: "",
  workingDir: "",
  labels: {},
};
const code = (wanted: string): unknown => expect.objectContaining({ code: wanted });

describe("what a VM of an image runs", () => {
  test("is what its maker has set", () => {
    expect(containerRun(config)).toEqual({
      argv: ["/entry", "serve", "--port=80"],
      env: ["PATH=/opt/bin", "A=1", "B=2"],
      workingDir: "/srv",
      user: "app",
      tty: false,
      mounts: [],
      stopSignal: "SIGQUIT",
    });
  });

  test("has a PATH, and a terminal has a name", () => {
    const { env, workingDir } = containerRun({ ...bare, cmd: ["sh"] }, { tty: true });
    expect(env).toEqual([
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "TERM=xterm",
    ]);
    expect(workingDir).toBe("/");
  });

  test.for([
    { what: "arguments stand for the command", overrides: { args: ["a"] }, argv: ["/entry", "a"] },
    {
      what: "an entrypoint takes the command away",
      overrides: { entrypoint: ["/bin/sh"] },
      argv: ["/bin/sh"],
    },
    {
      what: "an entrypoint of several words",
      overrides: { entrypoint: ["sh", "-c"], args: ["id"] },
      argv: ["sh", "-c", "id"],
    },
    {
      what: "an empty entrypoint takes the image's away",
      overrides: { entrypoint: [""], args: ["id"] },
      argv: ["id"],
    },
  ])("$what", ({ overrides, argv }) => {
    expect(containerRun(config, overrides).argv).toEqual(argv);
  });

  test("variables are set, and set anew in their place", () => {
    expect(containerRun(config, { env: ["A=x=y", "C="] }).env).toEqual([
      "PATH=/opt/bin",
      "A=x=y",
      "B=2",
      "C=",
    ]);
  });

  test.for([
    { overrides: { entrypoint: [""] }, wanted: "NOTHING_TO_RUN" },
    { overrides: { workingDir: "here" }, wanted: "INVALID_RUN" },
    { overrides: { args: ["a\0b"] }, wanted: "INVALID_RUN" },
    { overrides: { env: ["=x"] }, wanted: "INVALID_RUN" },
    { overrides: { mounts: [{ tag: "a", path: "/", readonly: false }] }, wanted: "INVALID_RUN" },
    { overrides: { mounts: [{ tag: "a b", path: "/a", readonly: false }] }, wanted: "INVALID_RUN" },
  ])("$wanted: $overrides", ({ overrides, wanted }) => {
    expect(() => containerRun(config, overrides)).toThrow(code(wanted));
  });
});

describe("the disk that tells it", () => {
  const run = (more: Partial<ContainerRun>): ContainerRun => ({ ...containerRun(config), ...more });

  test("gives a shell every word as it was", () => {
    const odd = [
      "",
      "it's",
      '$HOME `id` "x" \\',
      "two\nlines\n",
      "こんにちは\u0081ÿ",
      "-n",
      "'",
      "''",
      "*",
    ];
    const disk = runDiskContent(
      run({
        argv: ["/bin/x", ...odd],
        workingDir: "/a 'b'",
        mounts: [{ tag: "t", path: "/m n", readonly: true }],
      }),
    );
    expect(disk.length % 512).toBe(0);
    const directory = mkdtempSync(join(tmpdir(), "silk-run-"));
    try {
      writeFileSync(join(directory, "run"), disk);
      const script = `silk_mount() { printf '%s\\0' mount "$@"; }; silk_env() { :; }; silk_find() { program=/found; }
        silk_exec() { printf '%s\\0' exec "$@"; }; . "${directory}/run"; printf '%s\\0' "$workdir" "$user" "$tty" "$stop_signal"`;
      const words = execFileSync("sh", ["-c", script], { encoding: "utf8" }).split("\0");
      expect(words).toEqual(
        [
          ["mount", "t", "/m n", "ro"],
          ["exec", "PATH=/opt/bin", "A=1", "B=2", "/found", ...odd],
          ["/a 'b'", "app", "0", "3", ""],
        ].flat(),
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test.for([
    ["SIGTERM", "15"],
    ["SIGINT", "2"],
    ["9", "9"],
    ["SIGRTMIN+3", "37"],
  ])("knows the signal %s", ([name, number]) => {
    const text = Buffer.from(runDiskContent(run({ stopSignal: name }))).toString();
    expect(text).toContain(`\nstop_signal=${number}\n`);
  });

  test.for([
    ["quit", "SIGQUIT"],
    ["SIGRTMIN+3", "SIGRTMIN+3"],
    ["15", "15"],
  ])("an image that says %s means %s", ([text, name]) => {
    expect(containerRun({ ...config, stopSignal: text }).stopSignal).toBe(name);
  });

  test("refuses what is no signal", () => {
    expect(() => runDiskContent(run({ stopSignal: "SIGNOTHING" }))).toThrow(code("INVALID_RUN"));
  });
});

test("how a program ended is read from a disk, and nothing where nobody has written it", async () => {
  const directory = mkdtempSync(join(tmpdir(), "silk-exit-"));
  try {
    const read = async (text: string): Promise<unknown> => {
      writeFileSync(
        join(directory, "exit"),
        Buffer.concat([Buffer.from(text), Buffer.alloc(1024)]),
      );
      return await readExitStatus(linuxHost(), join(directory, "exit"));
    };
    expect(await read("exit 3\n")).toEqual({ exitCode: 3 });
    expect(await read("signal 11\n")).toEqual({ exitCode: 139, signal: "SIGSEGV" });
    expect(await read("signal 37\n")).toEqual({ exitCode: 165, signal: "37" });
    expect(await read("")).toBeUndefined();
    expect(await read("exit 3")).toBeUndefined();
    expect(await read("leave 3\n")).toBeUndefined();
  } finally {
    rmSync(directory, { recursive: true });
  }
});

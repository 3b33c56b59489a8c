import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { parseVariables } from "../parse/variables.ts";
import { parseVolume } from "../parse/volume.ts";
import { readRun, withRun } from "./run-spec.ts";

it("variables of files come first, comments are none, and one without a value is the shell's", () => {
  const files = [{ path: "vars", text: "# a comment\nA=1\r\n\n  # another\nHERE\nB=x = y\n" }];
  expect(parseVariables(["C=", "HERE", "GONE"], files, { HERE: "it is" })).toEqual([
    "A=1",
    "HERE=it is",
    "B=x = y",
    "C=",
    "HERE=it is",
  ]);
  expect(() => parseVariables([], [{ path: "vars", text: "A=1\n=2" }], {})).toThrow("line 2");
  expect(() => parseVariables(["A B=1"], [], {})).toThrow("is not NAME=VALUE");
});

it("a volume is a directory and a full path", () => {
  expect(parseVolume("./src:/srv/src:ro")).toEqual({
    directory: resolve("src"),
    path: "/srv/src",
    readonly: true,
  });
  expect(parseVolume("/a:/b")).toEqual({ directory: "/a", path: "/b", readonly: false });
  for (const [text, why] of [
    ["data:/data", "is no path of a directory"],
    [":/data", "the directory is missing"],
    ["/a", "must be a full path"],
    ["/a:b", "must be a full path"],
    ["/a:/", "not the root"],
    ["/a:/b:rx", "neither ro nor rw"],
    ["/a:/b:ro:z", "too many colons"],
  ] as const)
    expect(() => parseVolume(text)).toThrow(why);
});

it("a run is what was asked for, and nothing where nothing was", async () => {
  expect(await readRun({ tty: false }, [])).toEqual({ run: undefined, volumes: [] });
  const directory = mkdtempSync(join(tmpdir(), "silk-run-"));
  writeFileSync(join(directory, "vars"), "A=1\n");
  const flags = {
    tty: true,
    env: ["B=2"],
    "env-from": [join(directory, "vars")],
    volume: [`${directory}:/data`],
    entrypoint: "",
    workdir: "/srv",
  };
  const wanted = await readRun(flags, ["sh"]);
  rmSync(directory, { recursive: true });
  expect(wanted.run).toEqual({
    args: ["sh"],
    entrypoint: [""],
    env: ["A=1", "B=2"],
    workingDir: "/srv",
    tty: true,
    mounts: [{ tag: "volume-1", path: "/data", readonly: false }],
  });
  expect(withRun({ image: "web" }, wanted)).toMatchObject({ sharedMemory: true });
  expect(() => withRun({}, wanted)).toThrow("no image is named");
  await expect(readRun({ tty: false, workdir: "srv" }, [])).rejects.toThrow("is no full path");
});

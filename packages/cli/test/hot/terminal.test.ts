import { execFileSync } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { linuxHost } from "@silkvm/sys";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { makeSandbox, type Sandbox, silkPath } from "../support/sandbox.ts";
import { restingRows, running } from "./rows.ts";
import { addVms, makeStore, storePath, type VmRow } from "./store.ts";

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await makeSandbox();
  const root = sandbox.env["SILK_ROOT_DIR"] as string;
  await mkdir(root, { recursive: true });
  await makeStore(root);
  const nowMs = Date.now();
  const some = restingRows({ nowMs, minLength: 40, maxLength: 40, shortest: "hour" });
  const rows = fc.sample(some, { numRuns: 1, seed: 1 })[0] as VmRow[];
  const startedAt = new Date(nowMs - 5.5 * 3_600_000).toISOString();
  const alive = linuxHost().processes.self();
  using database = new DatabaseSync(storePath(root));
  addVms(
    database,
    rows.map((row, index) => (index % 4 === 0 ? running(row, alive, startedAt) : row)),
  );
});
afterAll(() => sandbox[Symbol.asyncDispose]());

/** Everything that the program shows on a terminal of so many columns. */
function show(line: string, columns: number, env: Readonly<Record<string, string>>): string {
  const command = `stty columns ${columns}; exec '${process.execPath}' '${silkPath}' ${line}`;
  const options = { env: { ...sandbox.env, ...env }, encoding: "utf8", cwd: sandbox.dir } as const;
  return execFileSync(
    "script",
    ["--quiet", "--return", "--command", command, "/dev/null"],
    options,
  );
}

it.each([
  { line: "vm list", columns: 200 },
  { line: "vm list", columns: 90 },
  { line: "vm list", columns: 20 },
  { line: "vm list", columns: 90, env: { NO_COLOR: "1" } },
  { line: "vm list", columns: 90, env: { TERM: "dumb" } },
  { line: "vm list --json", columns: 90 },
  { line: "vm ls -q", columns: 90 },
  { line: "vm list --json --quiet", columns: 90 },
  { line: "version", columns: 90 },
  { line: "--version --json", columns: 90 },
])(
  "on a terminal of $columns columns, `silk $line` with $env shows what plain oclif shows",
  ({ line, columns, env = {} }) => {
    const shown = show(line, columns, env);
    expect(shown).not.toBe("");
    expect(shown).toBe(show(line, columns, { ...env, SILK_PLAIN: "1" }));
  },
);

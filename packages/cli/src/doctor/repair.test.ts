import { mkdir, readdir, stat } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { hostWith, patientAt, temporaryDirectory } from "../../test/patient.ts";
import { checksFor } from "./check-list.ts";
import type { Check, Outcome } from "./finding.ts";
import { repairAll } from "./repair.ts";
import { runChecks } from "./run-checks.ts";

const broken = (automatic: boolean): Outcome => ({
  status: "warning",
  evidence: "broken",
  fix: { description: "Mend it.", automatic },
});

function mendable(options: {
  readonly automatic: boolean;
  readonly fails?: boolean;
}): Check & { readonly repairs: () => number } {
  let repairs = 0;
  let isBroken = true;
  return {
    id: "thing",
    title: "thing",
    group: "silk",
    run: async () => (isBroken ? broken(options.automatic) : { status: "ok", evidence: "whole" }),
    repair: async () => {
      repairs += 1;
      if (options.fails === true) throw new Error("it is stuck");
      isBroken = false;
      return "mended it";
    },
    repairs: () => repairs,
  };
}

describe("repairAll", () => {
  const patient = patientAt("/nowhere");

  it("mends what it may, looks again, and says what it did", async () => {
    const check = mendable({ automatic: true });
    const found = await runChecks([check], patient);
    expect(await repairAll([check], found, patient)).toMatchObject([
      { status: "ok", evidence: "whole", repaired: "mended it" },
    ]);
  });

  it("leaves alone what is for the user to do", async () => {
    const check = mendable({ automatic: false });
    const found = await runChecks([check], patient);
    expect(await repairAll([check], found, patient)).toBe(found);
    expect(check.repairs()).toBe(0);
  });

  it("says why it could not mend something, and goes on with the rest", async () => {
    const stuck = { ...mendable({ automatic: true, fails: true }), id: "stuck" };
    const thing = mendable({ automatic: true });
    const found = await runChecks([stuck, thing], patient);
    const after = await repairAll([stuck, thing], found, patient);
    expect(after).toMatchObject([
      { id: "stuck", status: "warning", repairFailed: "it is stuck" },
      { id: "thing", status: "ok" },
    ]);
  });

  it("ends when the user gives up", async () => {
    const user = new AbortController();
    const thing = mendable({ automatic: true });
    const found = await runChecks([thing], patient);
    user.abort(new Error("enough"));
    await expect(repairAll([thing], found, patient, { signal: user.signal })).rejects.toThrow(
      "enough",
    );
    expect(thing.repairs()).toBe(0);
  });

  it("makes the missing directories of a new installation with the right modes, and touches nothing else", async () => {
    await using directory = await temporaryDirectory();
    // Without root's rights no module is loaded: the host stays as it is.
    const host = hostWith({ facts: { uid: 1000 } });
    const fresh = patientAt(directory.path, { host });
    const checks = checksFor([]);
    const found = await runChecks(checks, fresh);
    expect(await readdir(directory.path)).toEqual([]);
    const after = await repairAll(checks, found, fresh);
    expect((await readdir(directory.path)).sort()).toEqual(["log", "root", "run"]);
    const directories = after.filter(({ id }) => ["root-dir", "run-dir", "log-dir"].includes(id));
    expect(directories.map(({ status }) => status)).toEqual(["ok", "ok", "ok"]);
    for (const path of [fresh.config.rootDir, fresh.config.runDir, fresh.config.logDir]) {
      expect((await stat(path)).mode & 0o777).toBe(0o700);
      expect(await readdir(path)).toEqual([]);
    }
  });

  it("does not close a directory that others may look into", async () => {
    await using directory = await temporaryDirectory();
    const host = hostWith({ facts: { uid: 1000 } });
    const open = patientAt(directory.path, { host });
    await mkdir(open.config.rootDir, { mode: 0o755 });
    const checks = checksFor([]);
    await repairAll(checks, await runChecks(checks, open), open);
    expect((await stat(open.config.rootDir)).mode & 0o777).toBe(0o755);
  });
});

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, it } from "vitest";
import { hostWith, patientAt, temporaryDirectory } from "../../test/patient.ts";
import { checksFor } from "./check-list.ts";
import type { Check, Outcome } from "./finding.ts";
import { directoryResponds } from "./responds.ts";
import { runChecks } from "./run-checks.ts";

const patient = patientAt("/nowhere");
const check = (id: string, run: Check["run"], atWorst?: "warning"): Check => ({
  id,
  title: id,
  group: "silk",
  atWorst,
  run,
});
const fine: Outcome = { status: "ok", evidence: "fine" };
const never = () => new Promise<never>(() => {});

describe("runChecks", () => {
  it("runs the checks side by side and tells of them in their order", async () => {
    const order: string[] = [];
    const gate = Promise.withResolvers<void>();
    const first = check("first", async () => {
      await gate.promise;
      order.push("first");
      return fine;
    });
    const second = check("second", async () => {
      order.push("second");
      gate.resolve();
      return fine;
    });
    const findings = await runChecks([first, second], patient);
    expect(order).toEqual(["second", "first"]);
    expect(findings.map(({ id, status }) => [id, status])).toEqual([
      ["first", "ok"],
      ["second", "ok"],
    ]);
  });

  it("gives up a check that hangs, as what it is at worst, and tells what the others found", async () => {
    const findings = await runChecks(
      [
        check("hangs", never),
        check("optional", never, "warning"),
        check("answers", async () => fine),
      ],
      patient,
      { checkTimeoutMs: 50 },
    );
    expect(findings.map(({ status, evidence }) => [status, evidence])).toEqual([
      ["failed", "no answer within 50 ms"],
      ["warning", "no answer within 50 ms"],
      ["ok", "fine"],
    ]);
  });

  it("tells a check that was given up to end", async () => {
    const ended = Promise.withResolvers<void>();
    const listens = check("listens", async ({ signal }) => {
      signal.addEventListener("abort", () => ended.resolve());
      return await never();
    });
    await runChecks([listens], patient, { checkTimeoutMs: 20 });
    await ended.promise;
  });

  it("leaves no program behind that a check was waiting for", async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, "pid");
    const waits = check("waits", async ({ host, signal }) => {
      const args = ["-c", `echo $$ > ${file}; exec sleep 600`];
      await host.processes.run({ command: "sh", args, signal });
      return fine;
    });
    const [finding] = await runChecks([waits], patient, { checkTimeoutMs: 2_000 });
    expect(finding?.evidence).toBe("no answer within 2000 ms");
    const pid = Number(await readFile(file, "utf8"));
    expect(linuxHost().processes.identify(pid)).toBeUndefined();
  });

  it("makes of a check that throws a finding that says so", async () => {
    const [finding] = await runChecks(
      [check("throws", () => Promise.reject(new Error("EIO: disk on fire")))],
      patient,
    );
    expect(finding).toMatchObject({
      status: "failed",
      evidence: "EIO: disk on fire",
      docs: "https://github.com/silkvm/silk/blob/main/docs/troubleshooting.md#throws",
    });
  });

  it("ends with the user's reason when the user gives up, after the checks have cleaned up", async () => {
    const user = new AbortController();
    let isClean = false;
    const slow = check("slow", async ({ signal }) => {
      user.abort(new Error("enough"));
      expect(signal.aborted).toBe(true);
      await delay(50);
      isClean = true;
      throw new Error("given up");
    });
    await expect(runChecks([slow], patient, { signal: user.signal })).rejects.toThrow("enough");
    expect(isClean).toBe(true);
  });

  it("does not wait for ever for a check that does not notice that the user gave up", async () => {
    const user = new AbortController();
    const deaf = check("deaf", async () => {
      user.abort(new Error("enough"));
      return await never();
    });
    await expect(runChecks([deaf], patient, { signal: user.signal })).rejects.toThrow("enough");
  });

  it("comes to an end on this host with every check, and each that finds something wrong says why and what to do", async () => {
    const findings = await runChecks(checksFor(["cloud-hypervisor"]), patient);
    expect(findings.length).toBe(checksFor(["cloud-hypervisor"]).length);
    for (const { status, evidence, why, fix } of findings) {
      expect(evidence).not.toBe("");
      expect(evidence).not.toContain("\n");
      if (status === "failed" || status === "warning")
        expect([typeof why, typeof fix?.description]).toEqual(["string", "string"]);
    }
  });
});

describe("directoryResponds", () => {
  const { signal } = new AbortController();

  it("says yes for a directory, and for one that is not there", async () => {
    expect(await directoryResponds(linuxHost(), "/", 3000, signal)).toBe(true);
    expect(await directoryResponds(linuxHost(), "/nowhere", 3000, signal)).toBe(true);
  });

  it("says no where the file system does not answer, also when the one who asks cannot be killed", async () => {
    const late = hostWith({
      processes: {
        run: () => Promise.reject(Object.assign(new Error("late"), { code: "ETIMEDOUT" })),
      },
    });
    expect(await directoryResponds(late, "/", 3000, signal)).toBe(false);
    const stuck = hostWith({ processes: { run: never } });
    expect(await directoryResponds(stuck, "/", 20, signal)).toBe(false);
  });
});

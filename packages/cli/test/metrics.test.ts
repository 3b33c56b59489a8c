import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeSandbox, type Sandbox } from "./support/sandbox.ts";

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await makeSandbox();
});
afterAll(() => sandbox[Symbol.asyncDispose]());

describe("silk metrics", () => {
  it("says which silk it is where there is nothing yet, and writes nothing", async () => {
    expect(await sandbox.ok("metrics")).toMatch(
      /^# HELP silk_info .*\n# TYPE silk_info gauge\nsilk_info\{version="\d.*"\} 1$/,
    );
    await expect(readdir(join(sandbox.dir, "root"))).rejects.toThrow("ENOENT");
  });

  it("counts VMs, operations, and how long they took, also of what is gone", async () => {
    await sandbox.ok("vm", "run", "--name", "web", ...sandbox.vmFlags);
    const text = await sandbox.ok("metrics");
    expect(text).toContain('silk_vms{backend="cloud-hypervisor",state="running"} 1\n');
    expect(text).toContain(
      'silk_vm_memory_bytes{backend="cloud-hypervisor",state="running"} 67108864\n',
    );
    expect(text).toContain('silk_operations_total{operation="start"} 1\n');
    expect(text).toMatch(/silk_operation_duration_seconds_sum\{operation="start"\} [\d.]+\n/);
    await sandbox.ok("vm", "rm", "--force", "web");
    const later = await sandbox.ok("metrics");
    expect(later).not.toContain("silk_vms{");
    expect(later).toContain('silk_operations_total{operation="delete"} 1\n');
    expect(await sandbox.json<unknown[]>("metrics")).toContainEqual(
      expect.objectContaining({ name: "silk_events_total", type: "counter" }),
    );
    const path = join(sandbox.dir, "silk.prom");
    expect(await sandbox.ok("metrics", "--output", path)).toBe("");
    expect(`${later}\n`).toBe(await readFile(path, "utf8"));
  });
});

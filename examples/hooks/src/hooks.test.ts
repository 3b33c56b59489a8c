import { readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { SpanStatusCode } from "@opentelemetry/api";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { definePlugin, type Engine, type PluginDefinition } from "@silkvm/core";
import { makeSandbox, type Sandbox } from "@silkvm/test-e2e/sandbox";
import { snapshotTargets } from "@silkvm/test-e2e/snapshot-targets";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AuditLine, auditLog } from "./audit-log.ts";
import { labelPolicy } from "./label-policy.ts";
import { openTelemetry } from "./open-telemetry.ts";

describe.each(snapshotTargets)("on $name", (target) => {
  describe.skipIf(target.missing !== undefined)("", () => {
    let sandbox: Sandbox;
    let engine: Engine;

    beforeEach(async () => {
      sandbox = await makeSandbox(await target.vmm());
    });
    afterEach(async () => {
      await engine[Symbol.asyncDispose]();
      await sandbox[Symbol.asyncDispose]();
    });
    const open = async (...plugins: readonly PluginDefinition[]): Promise<void> => {
      engine = await sandbox.engine(undefined, plugins);
    };

    it("the label policy forbids a VM, and a clone, that lacks a label, and marks the others", async () => {
      await open(labelPolicy({ required: { owner: /^[a-z]+$/ }, added: { site: "lab" } }));
      const spec = await target.spec();
      await expect(engine.create(spec)).rejects.toMatchObject({
        code: "VETOED",
        message: "the plugin label-policy does not allow this: --label owner=… like ^[a-z]+$",
      });
      await expect(engine.create({ ...spec, labels: { owner: "42" } })).rejects.toMatchObject({
        code: "VETOED",
      });
      expect(await engine.list({ all: true })).toEqual([]);
      const labels = { owner: "me", site: "elsewhere" };
      const vm = await engine.create({ ...spec, name: "golden", labels });
      expect((await vm.inspect()).labels).toEqual({ owner: "me", site: "lab" });
      await vm.start();
      const snapshot = await vm.save();
      const clone = await engine.clone({ snapshot: snapshot.id }, { labels: { tier: "1" } });
      expect((await clone.vm.inspect()).labels).toEqual({ owner: "me", site: "lab", tier: "1" });
      await expect(
        engine.clone({ snapshot: snapshot.id }, { labels: { owner: "?" } }),
      ).rejects.toMatchObject({ code: "VETOED" });
    });

    it("the audit log has a line for each operation, also for those that failed, and outlives its rotation", async () => {
      const path = join(sandbox.dir, "audit.log");
      await open(auditLog(path));
      const vm = await engine.create({ ...(await target.spec()), name: "web" });
      await vm.start();
      await expect(vm.delete()).rejects.toMatchObject({ code: "VM_RUNNING" });
      await rename(path, `${path}.1`);
      await engine.delete(["web", "nobody"], { force: true });
      const read = async (file: string): Promise<AuditLine[]> =>
        (await readFile(file, "utf8"))
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line) as AuditLine);
      const first = await read(`${path}.1`);
      expect(first.map(({ verb, outcome }) => [verb, outcome])).toEqual([
        ["create", "done"],
        ["start", "done"],
        ["delete", "VM_RUNNING"],
      ]);
      expect(first[1]).toMatchObject({
        ref: vm.id,
        vm: { id: vm.id, name: "web", backend: "cloud-hypervisor" },
        pid: process.pid,
        user: { uid: process.getuid?.() },
      });
      expect(new Set(first.map(({ operation }) => operation)).size).toBe(3);
      const second = await read(path);
      expect(new Map(second.map(({ ref, outcome }) => [ref, outcome]))).toEqual(
        new Map([
          ["nobody", "VM_NOT_FOUND"],
          ["web", "done"],
        ]),
      );
    });

    it("OpenTelemetry gets a span of each operation, with its phases below it", async () => {
      const exporter = new InMemorySpanExporter();
      const provider = new BasicTracerProvider({
        spanProcessors: [new SimpleSpanProcessor(exporter)],
      });
      let during: string | undefined;
      const watch = definePlugin({
        name: "watch",
        apiVersion: 1,
        hooks: { "vm:before-start": (_context, { operation }) => void (during = operation.id) },
      });
      await open(openTelemetry(provider.getTracer("test")), watch);
      const vm = await engine.create(await target.spec());
      await vm.start();
      await engine.start(["nobody"]);
      const spans = exporter.getFinishedSpans();
      const named = (name: string) => spans.filter((span) => span.name === name);
      const [start, failed] = named("silk start");
      expect(start?.attributes).toMatchObject({
        "silk.operation.id": during,
        "silk.vm.id": vm.id,
        "silk.vm.backend": "cloud-hypervisor",
      });
      const below = spans.filter(
        ({ parentSpanContext }) => parentSpanContext?.spanId === start?.spanContext().spanId,
      );
      expect(below.map(({ name }) => name)).toEqual(
        expect.arrayContaining(["lock", "hook.vm:before-start", "backend.start"]),
      );
      for (const phase of below) {
        expect(nanoseconds(phase.startTime)).toBeGreaterThanOrEqual(nanoseconds(start!.startTime));
        expect(nanoseconds(phase.endTime)).toBeLessThanOrEqual(nanoseconds(start!.endTime));
      }
      expect(failed?.status).toMatchObject({ code: SpanStatusCode.ERROR });
      expect(failed?.attributes).toMatchObject({
        "error.type": "VM_NOT_FOUND",
        "silk.ref": "nobody",
      });
    });

    it("a hook that hangs, or throws, behind an operation is a warning, and the operation is done", async () => {
      await sandbox[Symbol.asyncDispose]();
      sandbox = await makeSandbox(await target.vmm(), [], { hookTimeoutMs: 50 });
      await open(
        definePlugin({
          name: "hanging",
          apiVersion: 1,
          hooks: {
            "operation:end": () => new Promise<void>(() => {}),
            "vm:after-create": () => Promise.reject(new Error("no database")),
          },
        }),
      );
      const warnings: string[] = [];
      const onWarning = (message: string): void => void warnings.push(message);
      const vm = await engine.create(await target.spec(), { onWarning });
      expect((await vm.inspect()).state).toBe("created");
      expect(warnings).toEqual([
        "the hook vm:after-create of the plugin hanging failed: no database",
        "the hook operation:end of the plugin hanging took longer than 50 ms",
      ]);
    });
  });
});

/** The times of a phase are rounded to the microsecond. */
function nanoseconds([seconds, nanos]: [number, number]): number {
  return Math.round((seconds * 1e9 + nanos) / 1e4);
}

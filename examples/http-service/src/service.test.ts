import type { Engine } from "@silkvm/core";
import { makeSandbox, type Sandbox } from "@silkvm/test-e2e/sandbox";
import { snapshotTargets } from "@silkvm/test-e2e/snapshot-targets";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startService, type Service, type ServiceOptions } from "./service.ts";
import { warmSnapshot } from "./warm-snapshot.ts";

const never = new AbortController().signal;

describe.each(snapshotTargets)("on $name", (target) => {
  describe.skipIf(target.missing !== undefined)("the service", () => {
    let sandbox: Sandbox;
    let engine: Engine;

    beforeEach(async () => {
      sandbox = await makeSandbox(await target.vmm());
      engine = await sandbox.engine();
      await warmSnapshot(engine, "warm", await target.spec(), never);
    });
    afterEach(async () => {
      await engine[Symbol.asyncDispose]();
      await sandbox[Symbol.asyncDispose]();
    });

    function start(options: Partial<ServiceOptions> = {}): Promise<Service> {
      return startService({
        engine,
        snapshot: "warm",
        port: 0,
        atOnce: 2,
        mostWaiting: 8,
        requestTimeoutMs: 20_000,
        graceMs: 5_000,
        ...options,
      });
    }
    const ask = (service: Service, body: string, signal: AbortSignal = never): Promise<Response> =>
      fetch(service.url, { method: "POST", body, signal });
    const vms = async (): Promise<number> => (await engine.list({ all: true })).length;

    it("answers each request from a VM of its own, and leaves none", async () => {
      await using service = await start();
      const words = ["one", "two", "three", "four"];
      const answers = await Promise.all(words.map((word) => ask(service, `echo ${word}`)));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
      expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual(
        words.map((word) => `${word}\n`),
      );
      await expect.poll(vms).toBe(0);
      const cloned = (await Array.fromAsync(engine.events())).filter(
        ({ type }) => type === "vm.deleted",
      );
      expect(cloned).toHaveLength(1 + words.length);
    });

    it("runs no more VMs at once than it may, and turns away who would wait too long", async () => {
      await using service = await start({ atOnce: 1, mostWaiting: 1 });
      const answers = await Promise.all(
        ["a", "b", "c", "d"].map((word) => ask(service, `echo ${word}`)),
      );
      const statuses = answers.map(({ status }) => status).sort((one, other) => one - other);
      expect(statuses).toEqual([200, 200, 503, 503]);
    });

    it("gives up on a request whose client has gone, and leaves no VM", async () => {
      await using service = await start();
      const client = new AbortController();
      const asking = ask(service, "echo nobody listens", client.signal);
      await expect.poll(vms, { timeout: 10_000 }).toBeGreaterThan(0);
      client.abort();
      await expect(asking).rejects.toMatchObject({ name: "AbortError" });
      await expect.poll(vms, { timeout: 10_000 }).toBe(0);
    });

    it("says that a request took too long, and leaves no VM", async () => {
      await using service = await start({ requestTimeoutMs: 1 });
      expect((await ask(service, "echo too slow")).status).toBe(504);
      await expect.poll(vms, { timeout: 10_000 }).toBe(0);
    });

    it("finishes what is under way when it ends", async () => {
      const service = await start();
      const asking = ask(service, "echo last words");
      await expect.poll(vms, { timeout: 10_000 }).toBeGreaterThan(0);
      await service[Symbol.asyncDispose]();
      expect(await (await asking).text()).toBe("last words\n");
      expect(await vms()).toBe(0);
      await expect(ask(service, "echo too late")).rejects.toThrow();
    });
  });
});

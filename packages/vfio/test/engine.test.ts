import { join } from "node:path";
import { createEngine, definePlugin, type Engine, type Host, type SilkError } from "@silkvm/core";
import { failNth, releasing, withGate } from "@silkvm/core/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { deviceAttach, deviceDetach, deviceList, vfioKind } from "../src/index.ts";
import { plainBackend } from "./support/plain-backend.ts";
import { scene, type Scene, spare } from "./support/scene.ts";

const id = "silk-vfio-000000100";
const request = { pci: "00:10.0", bind: true };

let at: Scene;

async function open(host: Host = at.pci.host): Promise<Engine> {
  const plugin = definePlugin({
    name: "plain",
    apiVersion: 1,
    devices: [{ name: "vfio", load: async () => vfioKind }],
    backends: [plainBackend(at.pci.openers)],
  });
  const below = (name: string): string => join(at.pci.dir, name);
  const config = {
    rootDir: below("root"),
    runDir: below("run"),
    logDir: below("log"),
    backend: "plain",
  };
  return createEngine({ host, plugins: [plugin], config });
}

beforeEach(async () => {
  at = await scene();
  await using engine = await open();
  for (const name of ["web", "db"]) {
    const vm = await engine.create({
      name,
      boot: { kernel: "/none" },
      storageBytes: 0,
      cpus: 1,
      memoryBytes: 2 ** 20,
    });
    await vm.start();
  }
});
afterEach(async () => {
  {
    await using engine = await open();
    const { failed } = await engine.delete(["web", "db"], { force: true });
    expect(failed).toEqual([]);
    expect(await whose()).toEqual(["nvme", "(null)"]);
  }
  await at[Symbol.asyncDispose]();
});

const whose = async () => [at.pci.driver(spare), await at.pci.override(spare)];
const taken = ["vfio-pci", "vfio-pci"];
const free = ["nvme", "(null)"];
const code = (promise: Promise<unknown>): Promise<string | undefined> =>
  promise.then(
    () => undefined,
    (error: unknown) => (error as SilkError).code,
  );

describe("a device of the host", () => {
  it("is attached, listed, refused to everybody else, detached, and with its driver again", async () => {
    await using engine = await open();
    expect(await deviceAttach(engine, "web", request)).toBe(id);
    expect(await whose()).toEqual(taken);
    expect(await deviceList(engine, "web")).toMatchObject([
      { id, state: "attached", data: { pci: spare, group: 5 } },
    ]);
    expect(await code(deviceAttach(engine, "web", request))).toBe("DEVICE_EXISTS");
    expect(await code(deviceAttach(engine, "db", request))).toBe("DEVICE_IN_USE");
    await deviceDetach(engine, "web", id);
    expect([await deviceList(engine, "web"), await whose()]).toEqual([[], free]);
  });

  it("is given to one of two VMs that want it at once, and to the other one after that", async () => {
    await using engine = await open();
    const both = await Promise.all(
      ["web", "db"].map((vm) => code(deviceAttach(engine, vm, request))),
    );
    expect(both.filter((failed) => failed === undefined)).toHaveLength(1);
    const winner = both[0] === undefined ? "web" : "db";
    expect((await deviceList(engine, winner)).map(({ state }) => state)).toEqual(["attached"]);
    expect(await whose()).toEqual(taken);
    await deviceDetach(engine, winner, id);
    expect(await deviceAttach(engine, winner === "web" ? "db" : "web", request)).toBe(id);
    await engine.stop(["web", "db"], { force: true });
    expect(await whose()).toEqual(free);
  });

  it("comes back to its driver however the VM ends", async () => {
    await using engine = await open();
    await deviceAttach(engine, "web", request);
    await engine.stop(["web"], { force: true });
    expect(await whose()).toEqual(free);
    await engine.start(["web"]);
    expect(await deviceList(engine, "web")).toEqual([]);
    await deviceAttach(engine, "web", request);
    const { runtime } = await engine.inspect("web");
    const vmm = runtime?.vmm;
    if (vmm === undefined) throw new Error("it does not run");
    await at.pci.host.processes.signal(vmm, "SIGKILL");
    await at.pci.host.processes.waitForExit(vmm, { timeoutMs: 5_000 });
    expect(await whose()).toEqual(taken);
    await engine.start(["web"]);
    expect(await whose()).toEqual(free);
  });

  it("two of a group come back together, with the last of them", async () => {
    const second = "0000:00:10.1";
    await at.pci.addDevice({ address: second, group: 5, driver: "snd" });
    await using engine = await open();
    await deviceAttach(engine, "web", request);
    await deviceAttach(engine, "web", { pci: second, id: "sound" });
    await deviceDetach(engine, "web", id);
    expect([at.pci.driver(spare), at.pci.driver(second)]).toEqual(["vfio-pci", "vfio-pci"]);
    await deviceDetach(engine, "web", "sound");
    expect([at.pci.driver(spare), at.pci.driver(second)]).toEqual(["nvme", "snd"]);
  });
});

describe("no device is left stolen where an effect", () => {
  const dieAt = (nth: number) => (effect: { readonly number: number }) => {
    if (effect.number >= nth) throw Object.assign(new Error("killed"), { code: "EIO" });
    return undefined;
  };
  const gates = {
    fails: (nth: number) => failNth(nth, "EIO"),
    "times out": (nth: number) => failNth(nth, "ETIMEDOUT"),
    "is the last one": dieAt,
  };
  const verbs = {
    attach: (engine: Engine) => deviceAttach(engine, "web", request),
    detach: (engine: Engine) => deviceDetach(engine, "web", id),
  };

  for (const [how, gateOf] of Object.entries(gates))
    for (const [verb, run] of Object.entries(verbs))
      it(`${how} of ${verb}`, async () => {
        await using calm = await open();
        for (let nth = 1; ; nth++) {
          if (verb === "detach") await verbs.attach(calm);
          let effects = 0;
          const gate = gateOf(nth);
          await using locks = new AsyncDisposableStack();
          const faulty = withGate(releasing(at.pci.host, locks), (effect) => {
            effects = effect.number;
            return gate(effect);
          });
          const engine = await open(faulty);
          const failure = await code(run(engine));
          await engine[Symbol.asyncDispose]();
          await locks.disposeAsync();
          // Any command that works on the VM.
          await code(deviceDetach(calm, "web", "nothing"));
          const listed = (await deviceList(calm, "web")).map(({ state }) => state);
          const where = `${failure} at ${nth}`;
          expect([[], ["attached"], ["detaching"]], where).toContainEqual(listed);
          // One that is leaving may be half given back: it says so, and goes on at the same command.
          if (listed[0] !== "detaching")
            expect(await whose(), where).toEqual(listed.length === 0 ? free : taken);
          expect(await calm.operations()).toEqual([]);
          if (listed.length > 0) await verbs.detach(calm);
          expect(await whose(), where).toEqual(free);
          if (nth > effects) break;
        }
      });
});

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createEngine,
  defineCapability,
  definePlugin,
  type DeviceKind,
  type Engine,
  type EngineConfig,
  type Host,
  type HotPlug,
  provide,
  findCapability,
  SilkError,
  type VmRecord,
} from "@silkvm/core";
import { failNth, releasing, withGate } from "@silkvm/core/testing";
import { linuxHost } from "@silkvm/sys";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { tailBackend } from "./tail-backend.ts";

type Note = { readonly text: string };

const notes = defineCapability<HotPlug<Note>>("notes", "hold notes");
const host = linuxHost();

/** The host's side of a note is a file in this directory, the VMM's a file in the VM's run directory. */
let dir: string;
let config: Partial<EngineConfig>;
/** Ids of notes that the guest does not let go of. */
let held: Set<string>;
/** Ids of notes whose host side cannot be made, and of those whose host side cannot be given back. */
let broken: { readonly prepare: Set<string>; readonly release: Set<string> };
/** Whether the VMM does not answer any more. */
let isHung: boolean;
let gracesMs: number[];

const hostSide = (id: string): string => join(dir, `note-${id}`);
const vmmSide = (vm: VmRecord, id: string): string =>
  join(dir, "run", `${vm.id}-${vm.runtime?.vmm.pid}-${id}`);

const noteKind: DeviceKind<{ readonly id: string; readonly text: string }, Note> = {
  name: "note",
  noun: "the note",
  capability: notes,
  plan: async (_vm, { id, text }) => ({ id, data: { text } }),
  nameOf: ({ text }) => text,
  prepare: async (_vm, { id, data }, { host: on }) => {
    if (broken.prepare.has(id)) throw new Error("no paper");
    await on.files.writeAtomic(hostSide(id), data.text, { mode: 0o600 });
  },
  release: async (_vm, { id }, { host: on }) => {
    if (broken.release.has(id)) throw new Error("it sticks");
    await on.files.remove(hostSide(id));
  },
};

function plugOn(on: Host): HotPlug<Note> {
  const isPresent = async (vm: VmRecord, id: string): Promise<boolean> => {
    if (isHung) throw new Error("it hangs");
    return (await on.files.stat(vmmSide(vm, id))) !== undefined;
  };
  return {
    isPresent,
    add: async (vm, { id, data }) => {
      if (data.text === "no answer") return new Promise<never>(() => {});
      if (data.text === "poison") isHung = true;
      if (isHung) throw new Error("it hangs");
      await on.files.writeAtomic(vmmSide(vm, id), data.text, { mode: 0o600 });
      return { bdf: "0000:00:07.0" };
    },
    remove: async (vm, id, { graceMs }) => {
      gracesMs.push(graceMs);
      if (held.has(id))
        throw new SilkError("the guest does not let go", {
          code: "DEVICE_NOT_RELEASED",
          kind: "timeout",
        });
      await on.files.remove(vmmSide(vm, id));
    },
  };
}

const plugin = definePlugin({
  name: "notes",
  apiVersion: 1,
  devices: [{ name: "note", load: async () => noteKind }],
  backends: [
    {
      ...tailBackend,
      open: async (context) => ({
        ...(await tailBackend.open(context)),
        capability: (token) => findCapability([provide(notes, plugOn(context.host))], token),
      }),
    },
  ],
});

async function open(on: Host = host): Promise<Engine> {
  return createEngine({ host: on, plugins: [plugin], config });
}

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "silk-devices-"));
  held = new Set();
  broken = { prepare: new Set(), release: new Set() };
  isHung = false;
  gracesMs = [];
  config = {
    rootDir: join(dir, "root"),
    runDir: join(dir, "run"),
    logDir: join(dir, "log"),
    backend: "tail",
  };
  await using engine = await open();
  const vm = await engine.create({
    name: "web",
    boot: { kernel: "/none" },
    storageBytes: 2 ** 20,
    cpus: 1,
    memoryBytes: 2 ** 20,
  });
  await vm.start();
});
afterEach(async () => {
  held.clear();
  await using engine = await open();
  const all = await engine.list({ all: true });
  const { failed } = await engine.delete(
    all.map(({ id }) => id),
    { force: true },
  );
  expect(failed).toEqual([]);
  expect((await host.files.list(dir)).filter((name) => name.startsWith("note-"))).toEqual([]);
  await rm(dir, { recursive: true, force: true });
});

const request = { id: "n1", text: "hello" };

async function notesOf(engine: Engine): Promise<unknown[]> {
  const listed = await engine.devices.list("web", noteKind);
  return listed.map(({ id, state }) => [id, state]);
}

const hostHas = async (id: string): Promise<boolean> =>
  (await host.files.stat(hostSide(id))) !== undefined;

describe("a device", () => {
  it("is attached, listed with its address, told of, and detached", async () => {
    await using engine = await open();
    const attached = await engine.devices.attach("web", noteKind, request);
    expect(attached).toEqual({
      kind: "note",
      id: "n1",
      data: { text: "hello" },
      state: "attached",
      keep: false,
      bdf: "0000:00:07.0",
    });
    expect(await notesOf(engine)).toEqual([["n1", "attached"]]);
    expect(await hostHas("n1")).toBe(true);
    await engine.devices.detach("web", noteKind, "n1");
    expect(await notesOf(engine)).toEqual([]);
    expect(await hostHas("n1")).toBe(false);
    const events = (await Array.fromAsync(engine.events())).slice(-2);
    expect(events.map(({ type, data }) => [type, data])).toMatchObject([
      ["device.attached", { kind: "note", deviceId: "n1" }],
      ["device.detached", { kind: "note", deviceId: "n1" }],
    ]);
  });

  it("is refused where its id is taken, where the VM does not run, and where no plugin brings its kind", async () => {
    await using engine = await open();
    await engine.devices.attach("web", noteKind, request);
    await expect(engine.devices.attach("web", noteKind, request)).rejects.toMatchObject({
      code: "DEVICE_EXISTS",
    });
    await expect(engine.devices.detach("web", noteKind, "n2")).rejects.toMatchObject({
      code: "DEVICE_NOT_FOUND",
      message: "the VM web does not have the note n2",
      hint: "It has hello.",
    });
    const foreign = { ...noteKind, name: "foreign" };
    await expect(engine.devices.attach("web", foreign, request)).rejects.toMatchObject({
      code: "DEVICE_KIND_UNKNOWN",
    });
    await engine.stop(["web"], { force: true });
    await expect(engine.devices.attach("web", noteKind, request)).rejects.toMatchObject({
      code: "VM_NOT_RUNNING",
    });
  });

  it("goes with its VM, however that ends", async () => {
    await using engine = await open();
    await engine.devices.attach("web", noteKind, request);
    await engine.stop(["web"], { force: true });
    expect([await notesOf(engine), await hostHas("n1")]).toEqual([[], false]);
    await engine.start(["web"]);
    await engine.devices.attach("web", noteKind, request);
    const { runtime } = await engine.inspect("web");
    await host.processes.signal(runtime!.vmm, "SIGKILL");
    await host.processes.waitForExit(runtime!.vmm, { timeoutMs: 5_000 });
    expect(await notesOf(engine)).toEqual([]);
    await engine.start(["web"]);
    expect([await notesOf(engine), await hostHas("n1")]).toEqual([[], false]);
  });

  it("that hangs its VMM keeps nobody from ending the VM, which gives it back", async () => {
    await using engine = await open();
    const poison = { id: "n1", text: "poison" };
    await expect(engine.devices.attach("web", noteKind, poison)).rejects.toThrow("it hangs");
    expect(await notesOf(engine)).toEqual([["n1", "detaching"]]);
    expect(await engine.operations()).toEqual([]);
    expect((await engine.stop(["web"], { force: true })).failed).toEqual([]);
    expect([await notesOf(engine), await hostHas("n1")]).toEqual([[], false]);
  });

  it("of which a killed program left it open what became of it keeps nobody from ending the VM", async () => {
    await using engine = await open();
    await using locks = new AsyncDisposableStack();
    const killed = await open(releasing(host, locks));
    const hanging = { id: "n1", text: "no answer" };
    void killed.devices.attach("web", noteKind, hanging).catch(() => {});
    await expect.poll(() => hostHas("n1")).toBe(true);
    await locks.disposeAsync();
    isHung = true;
    expect((await engine.stop(["web"], { force: true })).failed).toEqual([]);
    expect([await notesOf(engine), await hostHas("n1")]).toEqual([[], false]);
  });

  it("of a VM that died is given back before another VM gets one", async () => {
    await using engine = await open();
    const size = { cpus: 1, memoryBytes: 2 ** 20, storageBytes: 2 ** 20 };
    await (await engine.create({ name: "db", boot: { kernel: "/none" }, ...size })).start();
    await engine.devices.attach("db", noteKind, request);
    const { runtime } = await engine.inspect("db");
    await host.processes.signal(runtime!.vmm, "SIGKILL");
    await host.processes.waitForExit(runtime!.vmm, { timeoutMs: 5_000 });
    let seen: unknown;
    const nosy: typeof noteKind = {
      ...noteKind,
      plan: async (vm, wanted, context) => {
        seen = [context.attached(), await hostHas("n1")];
        return noteKind.plan(vm, wanted, context);
      },
    };
    await engine.devices.attach("web", nosy, { id: "n2", text: "" });
    expect(seen).toEqual([[], false]);
    expect((await engine.inspect("db")).problem?.code).toBe("VMM_DIED");
  });

  it("comes back at each start where it is to be kept, until it is detached", async () => {
    await using engine = await open();
    await engine.devices.attach("web", noteKind, request, { keep: true });
    await engine.stop(["web"], { force: true });
    expect([await notesOf(engine), await hostHas("n1")]).toEqual([[["n1", "detached"]], false]);
    await engine.start(["web"]);
    expect([await notesOf(engine), await hostHas("n1")]).toEqual([[["n1", "attached"]], true]);
    await engine.stop(["web"], { force: true });
    await engine.devices.detach("web", noteKind, "n1");
    await engine.start(["web"]);
    expect(await notesOf(engine)).toEqual([]);
  });

  it("that the guest does not let go of is left as it is, and gone once the guest has", async () => {
    await using engine = await open();
    await engine.devices.attach("web", noteKind, request);
    held.add("n1");
    const detach = () => engine.devices.detach("web", noteKind, "n1");
    await expect(detach()).rejects.toMatchObject({ code: "DEVICE_NOT_RELEASED", retryable: true });
    expect([await notesOf(engine), await hostHas("n1")]).toEqual([[["n1", "detaching"]], true]);
    await expect(engine.devices.attach("web", noteKind, request)).rejects.toMatchObject({
      code: "DEVICE_LEAVING",
    });
    held.clear();
    await detach();
    expect([await notesOf(engine), await hostHas("n1")]).toEqual([[], false]);
  });

  it("is taken away by what a user calls it, too, and within the time that is given", async () => {
    await using engine = await open();
    await engine.devices.attach("web", noteKind, request);
    await engine.devices.detach("web", noteKind, "hello", { graceMs: 60_000 });
    await engine.devices.attach("web", noteKind, request);
    await engine.devices.detach("web", noteKind, "n1");
    expect(await notesOf(engine)).toEqual([]);
    expect(gracesMs).toEqual([60_000, 15_000]);
  });

  it("that somebody else gave the VM keeps its id, and is not taken away", async () => {
    await using engine = await open();
    const foreign = vmmSide(await engine.inspect("web"), "n1");
    await host.files.writeAtomic(foreign, "not silk's", { mode: 0o600 });
    await expect(engine.devices.attach("web", noteKind, request)).rejects.toMatchObject({
      code: "DEVICE_EXISTS",
    });
    expect(await host.files.readText(foreign)).toBe("not silk's");
    expect([await notesOf(engine), await hostHas("n1")]).toEqual([[], false]);
  });

  it("that is to be kept but cannot be attached at a start stays out, and comes back at the next", async () => {
    await using engine = await open();
    await engine.devices.attach("web", noteKind, request, { keep: true });
    await engine.stop(["web"], { force: true });
    broken.prepare.add("n1");
    const warnings: string[] = [];
    const onWarning = (text: string): void => void warnings.push(text);
    expect((await engine.start(["web"], { onWarning })).failed).toEqual([]);
    expect(warnings).toEqual(["n1 could not be attached again: no paper"]);
    expect(await notesOf(engine)).toEqual([["n1", "detached"]]);
    broken.prepare.clear();
    await engine.stop(["web"], { force: true });
    await engine.start(["web"]);
    expect([await notesOf(engine), await hostHas("n1")]).toEqual([[["n1", "attached"]], true]);
  });

  it("that is to be kept comes back also where its host side could not be given back in between", async () => {
    await using engine = await open();
    await engine.devices.attach("web", noteKind, request, { keep: true });
    broken.release.add("n1");
    await engine.stop(["web"], { force: true });
    expect(await hostHas("n1")).toBe(true);
    broken.release.clear();
    await engine.start(["web"]);
    expect([await notesOf(engine), await hostHas("n1")]).toEqual([[["n1", "attached"]], true]);
  });

  it("whose host side cannot be given back keeps no other one out", async () => {
    await using engine = await open();
    await engine.devices.attach("web", noteKind, request);
    broken.release.add("n1");
    await expect(engine.devices.detach("web", noteKind, "n1")).rejects.toThrow("it sticks");
    await engine.devices.attach("web", noteKind, { id: "n2", text: "other" });
    expect(await notesOf(engine)).toEqual([
      ["n1", "detaching"],
      ["n2", "attached"],
    ]);
    broken.release.clear();
    await engine.devices.detach("web", noteKind, "n1");
    expect(await notesOf(engine)).toEqual([["n2", "attached"]]);
  });

  it("that could not be attached, and whose host side cannot be given back, is in no verb's way", async () => {
    await using engine = await open();
    broken.prepare.add("n1");
    broken.release.add("n1");
    await expect(engine.devices.attach("web", noteKind, request)).rejects.toThrow("no paper");
    expect([await notesOf(engine), await engine.operations()]).toEqual([[["n1", "detaching"]], []]);
    const { failed } = await engine.stop(["web"], { force: true });
    expect(failed).toEqual([]);
    broken.release.clear();
    await engine.devices.detach("web", noteKind, "n1");
    expect((await engine.inspect("web")).attachments).toBeUndefined();
    broken.prepare.clear();
  });

  it("that the guest has let go of by itself makes room for the next one", async () => {
    await using engine = await open();
    await engine.devices.attach("web", noteKind, request);
    held.add("n1");
    await engine.devices.detach("web", noteKind, "n1").catch(() => {});
    await host.files.remove(vmmSide(await engine.inspect("web"), "n1"));
    await engine.devices.attach("web", noteKind, { id: "n1", text: "again" });
    expect(await notesOf(engine)).toEqual([["n1", "attached"]]);
    const types = (await Array.fromAsync(engine.events())).map(({ type }) => type);
    expect(types.slice(-3)).toEqual(["device.attached", "device.detached", "device.attached"]);
  });

  it("is told of with the VM that has it, to whoever plans another one", async () => {
    await using engine = await open();
    await engine.devices.attach("web", noteKind, request);
    let seen: unknown;
    const nosy: typeof noteKind = {
      ...noteKind,
      plan: async (vm, wanted, context) => {
        seen = context.attached().map(({ vm: owner, attachment }) => [owner.name, attachment.id]);
        return noteKind.plan(vm, wanted, context);
      },
    };
    await engine.devices.attach("web", nosy, { id: "n2", text: "" });
    expect(seen).toEqual([["web", "n1"]]);
  });
});

describe("an effect that fails while a device is", () => {
  const verbs = {
    attached: (engine: Engine) => engine.devices.attach("web", noteKind, request),
    detached: (engine: Engine) => engine.devices.detach("web", noteKind, "n1"),
  };

  for (const [verb, run] of Object.entries(verbs))
    for (const code of ["EIO", "ETIMEDOUT"] as const)
      it(`${verb} (${code}) leaves it whole or not there, and the same call succeeds`, async () => {
        await using calm = await open();
        for (let nth = 1; ; nth++) {
          if (verb === "detached") await verbs.attached(calm);
          let effects = 0;
          const gate = failNth(nth, code);
          await using locks = new AsyncDisposableStack();
          const faulty = withGate(releasing(host, locks), (effect) => {
            effects = effect.number;
            return gate(effect);
          });
          const engine = await open(faulty);
          const failure = await run(engine).then(
            () => undefined,
            (error: unknown) => error as SilkError,
          );
          await engine[Symbol.asyncDispose]();
          await locks.disposeAsync();
          const again = await run(calm).then(
            () => undefined,
            (error: unknown) => (error as SilkError).code,
          );
          const done = { attached: "DEVICE_EXISTS", detached: "DEVICE_NOT_FOUND" }[verb];
          expect([undefined, done], `${code} at ${nth}: ${failure?.message}`).toContain(again);
          const there = verb === "attached";
          expect(await notesOf(calm), `at ${nth}`).toEqual(there ? [["n1", "attached"]] : []);
          expect(await hostHas("n1"), `at ${nth}`).toBe(there);
          expect(await calm.operations()).toEqual([]);
          if (there) await verbs.detached(calm);
          if (nth > effects) break;
        }
      });
});

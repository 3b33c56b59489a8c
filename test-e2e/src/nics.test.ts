import { setTimeout as pause } from "node:timers/promises";
import type { Engine, Nic, Vm } from "@silkvm/core";
import { netResize, type NetResizeResult } from "@silkvm/netresize";
import { linuxHost } from "@silkvm/sys";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeNetSandbox, netMissing, type NetSandbox } from "./net-sandbox.ts";
import { expectAgreement, specWithNics } from "./nic-scene.ts";
import { ask } from "./snapshot-console.ts";
import { mainSnapshotTargets, type SnapshotTarget } from "./snapshot-targets.ts";

describe.each(mainSnapshotTargets)("NICs on $name", (target) => {
  describe.skipIf(netMissing !== undefined || target.missing !== undefined)("", () => {
    nicTests(target);
  });
});

function nicTests(target: SnapshotTarget): void {
  let sandbox: NetSandbox;
  let engine: Engine;
  let vm: Vm;
  let before: unknown;

  beforeEach(async () => {
    sandbox = await makeNetSandbox(await target.vmm());
    before = sandbox.left();
    engine = await sandbox.engine();
    vm = await engine.create({ ...(await specWithNics(target, 1)), name: "web" });
    await vm.start();
  });
  afterEach(async () => {
    const all = (await engine.list({ all: true })).map(({ id }) => id);
    const { failed } = await engine.delete(all, { force: true });
    const left = sandbox.left();
    await engine[Symbol.asyncDispose]();
    await sandbox[Symbol.asyncDispose]();
    expect(failed).toEqual([]);
    expect(left).toEqual(before);
  });

  const resize = (nics: number): Promise<NetResizeResult> =>
    netResize(engine, "web", { target: nics });
  const agreed = async (): Promise<number> => {
    const nics = await expectAgreement(engine, sandbox, "web");
    expect((await engine.inspect("web")).leavingNics).toBeUndefined();
    return nics;
  };
  const tapsOf = (nics: readonly Nic[]) => nics.map(({ tap }) => tap);

  it("go from 1 to 8 to 0 to 3, and the record, the VMM and the host agree after each step", async () => {
    expect(await agreed()).toBe(1);
    const grown = await resize(8);
    expect([grown.before, grown.after, grown.added.length, grown.removed.length]).toEqual([
      1, 8, 7, 0,
    ]);
    expect(await agreed()).toBe(8);
    const none = await resize(0);
    expect([none.before, none.after, none.removed.length]).toEqual([8, 0, 8]);
    // From the end: the last one that came is the first one that goes.
    expect(tapsOf(none.removed).slice(0, 7)).toEqual(tapsOf(grown.added).toReversed());
    expect(await agreed()).toBe(0);
    const again = await resize(3);
    expect(again).toMatchObject({ before: 0, after: 3, removed: [], warnings: [] });
    expect(await agreed()).toBe(3);
    expect(await resize(3)).toEqual({ before: 3, after: 3, added: [], removed: [], warnings: [] });
    const events = (await Array.fromAsync(engine.events())).map(({ type }) => type);
    expect(events.filter((type) => type === "device.attached")).toHaveLength(10);
    expect(events.filter((type) => type === "device.detached")).toHaveLength(8);
  });

  it("have what the guest sees: the same MACs, also after a stop and a start", async () => {
    await resize(3);
    const guestSees = async (): Promise<string> => {
      if (target.name === "ch-sim") return "";
      return (await ask(vm, "nics")).split(" ").slice(2).sort().join(" ");
    };
    const known = async (): Promise<string> => {
      if (target.name === "ch-sim") return "";
      const { nics } = await vm.inspect();
      return nics
        .map(({ mac }) => mac)
        .sort()
        .join(" ");
    };
    const macs = await known();
    expect(await guestSees()).toBe(macs);
    await vm.stop({ force: true });
    // The host was rebooted, as far as its network is concerned.
    for (const tap of sandbox.taps()) sandbox.ip("link", "del", tap);
    await vm.start();
    expect(await agreed()).toBe(3);
    expect(await known()).toBe(macs);
    expect(await guestSees()).toBe(macs);
  });

  it("that the guest does not let go of fail in time, can be tried again, and stand in the way of no others", async () => {
    await resize(3);
    await ask(vm, "noack on");
    const shrink = (graceMs: number) => netResize(engine, "web", { target: 1 }, { graceMs });
    for (let time = 0; time < 2; time++)
      await expect(shrink(200)).rejects.toMatchObject({
        code: "DEVICE_NOT_RELEASED",
        kind: "timeout",
        retryable: true,
      });
    const states = async () => (await engine.nics.list("web")).map(({ state }) => state);
    expect(await states()).toEqual(["attached", "attached", "leaving"]);
    expect(sandbox.taps()).toHaveLength(3);
    await expect(engine.snapshots.save("web")).rejects.toMatchObject({
      code: "SNAPSHOT_UNSUPPORTED",
      hint: expect.stringContaining("silk vm net set web --nics 2"),
    });
    const more = await resize(3);
    expect(more).toMatchObject({
      before: 2,
      after: 3,
      warnings: [expect.stringContaining("let go")],
    });
    await ask(vm, "noack off");
    const healed = await shrink(5_000);
    expect(healed).toMatchObject({ before: 3, after: 1 });
    expect(healed.removed).toHaveLength(3);
    expect(await agreed()).toBe(1);
  });

  it("that the guest keeps until its VM ends are gone with it", async () => {
    await resize(2);
    await ask(vm, "noack on");
    const shrunk = netResize(engine, "web", { target: 0 }, { graceMs: 0 });
    await expect(shrunk).rejects.toMatchObject({ code: "DEVICE_NOT_RELEASED" });
    await vm.stop({ force: true });
    expect(await engine.nics.list("web")).toMatchObject([{ state: "detached" }]);
    expect(sandbox.taps()).toHaveLength(1);
    await vm.start();
    expect(await agreed()).toBe(1);
  });

  it("that the VMM has lost are given to it again", async () => {
    await resize(2);
    const [first] = await engine.nics.list("web");
    const { paths } = await vm.inspect();
    await removeBehindOurBack(paths.apiSocketPath, first?.deviceId ?? "");
    expect((await engine.nics.list("web"))[0]).toMatchObject({ state: "missing" });
    const { warnings, added } = await resize(2);
    expect([warnings.length, added]).toEqual([1, []]);
    const listed = await engine.nics.list("web");
    expect(listed.map(({ state }) => state)).toEqual(["attached", "attached"]);
    // It comes last, as in the VMM.
    expect(listed[1]?.mac).toBe(first?.mac);
    expect(sandbox.taps()).toHaveLength(2);
  });

  it("are changed by two at once one after the other, or the second is told that the VM is busy", async () => {
    const [one, other] = await Promise.all([resize(6), resize(2)]);
    expect([one.before, one.after, other.before, other.after]).toEqual(
      one.before === 1 ? [1, 6, 6, 2] : [2, 6, 1, 2],
    );
    const now = await agreed();
    expect([2, 6]).toContain(now);
    await using second = await sandbox.engine();
    const growing = resize(8);
    const lock = async () => (await second.operations()).length > 0;
    while (!(await lock())) await pause(1);
    await expect(netResize(second, "web", { target: 0 }, { wait: false })).rejects.toMatchObject({
      code: "VM_BUSY",
      kind: "busy",
    });
    await growing;
    expect(await agreed()).toBe(8);
  });

  it("that an aborted change has added or removed stay so, the one under way is whole or undone, and the error says how many there are", async () => {
    for (const [from, to] of [
      [1, 8],
      [8, 1],
    ] as const) {
      await resize(from);
      const abort = new AbortController();
      let told = 0;
      const aborted = await netResize(
        engine,
        "web",
        { target: to },
        {
          signal: abort.signal,
          onProgress: (message) => {
            if (/(adding|removing) the NIC/.test(message) && ++told === 3) abort.abort();
          },
        },
      ).then(
        () => undefined,
        (error: unknown) => error as { kind: string; message: string; details: object },
      );
      const now = from < to ? 3 : 6;
      expect(aborted).toMatchObject({
        kind: "aborted",
        message: expect.stringContaining(
          `web has ${now} NICs now, on the way from ${from} to ${to}`,
        ),
        details: { before: from, after: now, target: to },
      });
      await resize(now);
      expect(await agreed()).toBe(now);
    }
  });

  it("of a VM that does not run are changed for its next start", async () => {
    await vm.stop({ force: true });
    expect(await resize(3)).toMatchObject({ before: 1, after: 3 });
    expect(await resize(2)).toMatchObject({ before: 3, after: 2 });
    expect(sandbox.taps()).toHaveLength(2);
    await vm.start();
    expect(await agreed()).toBe(2);
  });

  it("are those of a snapshot again after a restore, whatever they were changed to meanwhile, and its clones have their own", async () => {
    await resize(2);
    const { id } = await vm.save();
    const macs = (await vm.inspect()).nics.map(({ mac }) => mac);
    await resize(1);
    await expect(vm.restore({ snapshot: id })).rejects.toMatchObject({
      code: "SNAPSHOT_MISMATCH",
      hint: expect.stringContaining("silk vm net set web --nics 2"),
    });
    await resize(2);
    await vm.restore({ snapshot: id });
    expect(await agreed()).toBe(2);
    expect((await vm.inspect()).nics.map(({ mac }) => mac)).toEqual(macs);
    await resize(3);
    expect(await agreed()).toBe(3);
    const { vm: clone } = await engine.clone({ snapshot: id }, { name: "copy", nics: 1 });
    // Those that it was loaded with go as soon as its guest has let go of them.
    await expect.poll(() => sandbox.taps(), { timeout: 10_000 }).toHaveLength(4);
    expect(await netResize(engine, "copy", { target: 2 })).toMatchObject({ before: 1, after: 2 });
    expect((await clone.inspect()).nics.map(({ mac }) => mac)).not.toEqual(
      expect.arrayContaining(macs),
    );
    await clone.delete({ force: true });
    expect(await agreed()).toBe(3);
  });

  it("of a VM that hibernates stay as its memory has them", async () => {
    await engine.hibernate("web");
    await expect(resize(2)).rejects.toMatchObject({ code: "VM_HIBERNATES" });
    for (const tap of sandbox.taps()) sandbox.ip("link", "del", tap);
    await engine.wake("web");
    expect(await agreed()).toBe(1);
    expect(await resize(2)).toMatchObject({ after: 2 });
  });

  it("of a VM with several vCPUs have several queues", async () => {
    if (linuxHost().facts.cpus < 2) return;
    const spec = await specWithNics(target, 1);
    const wide = await engine.create({ ...spec, name: "wide", cpus: 2 });
    await wide.start();
    await netResize(engine, "wide", { target: 3 });
    const { nics, observed } = await wide.inspect();
    expect(nics.map(({ queues }) => queues)).toEqual([4, 4, 4]);
    expect(observed.devices?.filter(({ kind }) => kind === "nic")).toHaveLength(3);
    const [link] = JSON.parse(sandbox.ip("-j", "-d", "link", "show", nics[2]?.tap ?? "")) as {
      linkinfo: { info_data: { multi_queue: boolean } };
    }[];
    expect(link?.linkinfo.info_data.multi_queue).toBe(true);
  });

  it("that cannot be had change nothing: 17 of them, and those of a VM that has no network", async () => {
    await expect(resize(17)).rejects.toMatchObject({ code: "INVALID_SPEC", kind: "invalid" });
    await engine.create({ ...(await target.spec()), name: "lonely" });
    await expect(netResize(engine, "lonely", { target: 1 })).rejects.toMatchObject({
      code: "NETWORK_UNNAMED",
      hint: expect.stringContaining("--bridge"),
    });
    expect(await netResize(engine, "lonely", { target: 0 })).toMatchObject({ after: 0 });
    expect(await agreed()).toBe(1);
  });

  it("that fail half-way leave those before them, and the error says so", async () => {
    await resize(2);
    // The third TAP's name is somebody else's by now.
    const [first = ""] = sandbox.taps();
    const taken = `${first.slice(0, -1)}4`;
    sandbox.ip("tuntap", "add", "dev", taken, "mode", "tap");
    sandbox.ip("link", "set", taken, "alias", "mine");
    try {
      await expect(resize(6)).rejects.toMatchObject({
        code: "TAP_TAKEN",
        kind: "conflict",
        message: expect.stringContaining("web has 4 NICs now, on the way from 2 to 6"),
        details: { before: 2, after: 4, added: [{}, {}], removed: [] },
      });
    } finally {
      sandbox.ip("link", "del", taken);
    }
    expect(await agreed()).toBe(4);
  });
}

/** Takes a device from a VMM as somebody else would. */
async function removeBehindOurBack(socketPath: string, id: string): Promise<void> {
  const { createChClient } = await import("@silkvm/ch-client");
  await using client = createChClient({ socketPath });
  await client.vm.removeDevice({ id });
  while ((await client.vm.info()).device_tree?.[id] !== undefined) await pause(5);
}

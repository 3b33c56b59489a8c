import type { Host } from "@silkvm/core";
import { failNth, releasing, withGate } from "@silkvm/core/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type VfioData, vfioKind } from "../src/index.ts";
import { scene, type Scene, spare } from "./support/scene.ts";

const sound = "0000:00:10.1";
const idle = "0000:00:10.2";

let at: Scene;
let device: { readonly id: string; readonly data: VfioData };

beforeEach(async () => {
  at = await scene();
  await at.pci.addDevice({ address: sound, group: 5, driver: "snd", override: "snd" });
  await at.pci.addDevice({ address: idle, group: 5, native: "idle" });
  device = await vfioKind.plan(at.vm, { pci: spare, bind: true }, at.context());
});
afterEach(() => at[Symbol.asyncDispose]());

const prepare = (host?: Host) => vfioKind.prepare?.(at.vm, device, at.context(host));
const release = (host?: Host) => vfioKind.release?.(at.vm, device, at.context(host));
const state = async () =>
  await Promise.all(
    [spare, sound, idle].map(async (address) => [
      at.pci.driver(address),
      await at.pci.override(address),
    ]),
  );

const before = [
  ["nvme", "(null)"],
  ["snd", "snd"],
  [undefined, "(null)"],
];
const bound = [
  ["vfio-pci", "vfio-pci"],
  ["vfio-pci", "vfio-pci"],
  ["vfio-pci", "vfio-pci"],
];

describe("the devices of a group", () => {
  it("are bound to vfio-pci, and given back to what they had, as often as is asked", async () => {
    for (let round = 0; round < 2; round++) {
      for (let again = 0; again < 2; again++) await prepare();
      expect(await state()).toEqual(bound);
      for (let again = 0; again < 2; again++) await release();
      expect(await state()).toEqual(before);
    }
    expect(at.warnings).toEqual([]);
  });

  it("stay as they are while nothing was taken, and after the host was started again", async () => {
    await prepare();
    const { data } = device;
    device = { ...device, data: { ...data, bootId: "an earlier one" } };
    await release();
    device = { ...device, data: { ...data, taken: [] } };
    await release();
    expect(await state()).toEqual(bound);
  });

  it("are left alone where they are gone, are another device, or have another driver by now", async () => {
    await prepare();
    await at.pci.remove(`/sys/bus/pci/devices/${idle}`);
    await at.pci.write(`/sys/devices/pci0000:00/${spare}/device`, "0x9999\n");
    await at.pci.remove(`/sys/devices/pci0000:00/${sound}/driver`);
    await at.pci.link(`/sys/devices/pci0000:00/${sound}/driver`, "/sys/bus/pci/drivers/other");
    await at.pci.write("/sys/bus/pci/drivers/other/bind", "");
    await release();
    expect([at.pci.driver(spare), at.pci.driver(sound)]).toEqual(["vfio-pci", "other"]);
    expect(await at.pci.override(sound)).toBe("snd");
  });

  it("whose driver is not loaded any more are left without one, and that is said", async () => {
    await prepare();
    await at.pci.remove("/sys/bus/pci/drivers/nvme");
    await release();
    expect(at.pci.driver(spare)).toBeUndefined();
    expect(at.warnings).toEqual([expect.stringContaining("nvme is not loaded any more")]);
  });

  it("whose driver does not take them back are given back later", async () => {
    await prepare();
    at.pci.failing.add("nvme");
    await expect(release()).rejects.toMatchObject({ code: "NOT_GIVEN_BACK", retryable: true });
    at.pci.failing.clear();
    await release();
    expect(await state()).toEqual(before);
  });

  it("that vfio-pci does not take are a failure which is undone", async () => {
    at.pci.failing.add("vfio-pci");
    await expect(prepare()).rejects.toMatchObject({ code: "BIND_FAILED" });
    await release();
    expect(await state()).toEqual(before);
  });

  it("are given back by the last of those that were attached", async () => {
    await prepare();
    const identity = { bootId: "", pid: 9, startTime: 1 };
    at.pci.openers.push({ path: "/dev/vfio/5", process: { identity, argv: ["ch"] } });
    const attachment = {
      ...device,
      id: "other",
      kind: "vfio",
      state: "attached",
      keep: false,
    } as const;
    at.attached.push({ vm: at.vm, attachment });
    await release();
    expect(await state()).toEqual(bound);
    // Nobody has it open: the VMM is gone.
    at.pci.openers.length = 0;
    await release();
    expect(await state()).toEqual(before);
  });

  it("are not torn from a process that has them open: it has a time to close them", async () => {
    await prepare();
    const identity = { bootId: "", pid: 9, startTime: 1 };
    at.pci.openers.push({ path: "/dev/vfio/5", process: { identity, argv: ["/bin/qemu"] } });
    let ms = 0;
    const clock = {
      ...at.pci.host.clock,
      monotonicMs: () => ms,
      delay: async (wait: number) => void (ms += wait),
    };
    await expect(release({ ...at.pci.host, clock })).rejects.toMatchObject({
      code: "GROUP_IN_USE",
      message: expect.stringContaining("qemu (pid 9)") as string,
      retryable: true,
    });
    expect(await state()).toEqual(bound);
    at.pci.openers.length = 0;
    await release();
    expect(await state()).toEqual(before);
  });

  it("are not bound where the user gives up first", async () => {
    const context = { ...at.context(), signal: AbortSignal.abort() };
    await expect(vfioKind.prepare?.(at.vm, device, context)).rejects.toMatchObject({
      name: "AbortError",
    });
    expect(await state()).toEqual(before);
  });
});

describe("whatever effect", () => {
  /** Ends everything from the n-th effect on, as a killed process does. */
  const dieAt = (nth: number) => (effect: { readonly number: number }) => {
    if (effect.number >= nth) throw Object.assign(new Error("killed"), { code: "EIO" });
    return undefined;
  };
  const gates = {
    "fails of": (nth: number) => failNth(nth, "EIO"),
    "times out of": (nth: number) => failNth(nth, "ETIMEDOUT"),
    "is the last of": dieAt,
  };

  for (const [how, gateOf] of Object.entries(gates))
    for (const [what, run] of Object.entries({ binding: prepare, "giving back": release }))
      it(`${how} ${what}, the devices are given back by the next release`, async () => {
        for (let nth = 1; ; nth++) {
          if (run === release) await prepare();
          let effects = 0;
          const gate = gateOf(nth);
          await using locks = new AsyncDisposableStack();
          const faulty = withGate(releasing(at.pci.host, locks), (effect) => {
            effects = effect.number;
            return gate(effect);
          });
          const failure = await run(faulty)?.then(
            () => undefined,
            (error: unknown) => error as Error,
          );
          // A killed process holds no locks.
          await locks.disposeAsync();
          if (effects >= nth) expect(failure, `at ${nth}`).toBeInstanceOf(Error);
          await release();
          expect(await state(), `at ${nth}: ${failure?.message}`).toEqual(before);
          await prepare();
          expect(await state()).toEqual(bound);
          await release();
          if (nth > effects) {
            expect(nth).toBeGreaterThan(8);
            break;
          }
        }
      });
});

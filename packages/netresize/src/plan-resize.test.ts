import type { NicView } from "@silkvm/core";
import { describe, expect, it } from "vitest";
import { planResize } from "./plan-resize.ts";

const nic = (number: number, state: NicView["state"] = "attached"): NicView => ({
  tap: `tap${number}`,
  mac: `02:00:00:00:00:0${number}`,
  queues: 2,
  queueSize: 512,
  provider: "bridge",
  state,
});

const nothing = { repair: [], release: [], leaving: [], remove: [], add: 0 };

describe("the plan of a resize", () => {
  it("adds what is missing to the number, and nothing else", () => {
    expect(planResize([nic(0)], 4)).toEqual({ ...nothing, add: 3 });
    expect(planResize([], 0)).toEqual(nothing);
    expect(planResize([nic(0), nic(1)], 2)).toEqual(nothing);
  });

  it("removes from the end, the last one first", () => {
    const nics = [nic(0), nic(1), nic(2)];
    expect(planResize(nics, 1)).toEqual({ ...nothing, remove: [nic(2), nic(1)] });
    expect(planResize(nics, 0).remove.map(({ tap }) => tap)).toEqual(["tap2", "tap1", "tap0"]);
  });

  it("gives the VMM again what it has lost, but for what is to go anyway", () => {
    const nics = [nic(0, "missing"), nic(1), nic(2, "missing")];
    expect(planResize(nics, 2)).toEqual({
      ...nothing,
      repair: [nic(0, "missing")],
      remove: [nic(2, "missing")],
    });
  });

  it("waits for what the guest is letting go of, unless more NICs are wanted", () => {
    const nics = [nic(0), nic(1, "leaving")];
    expect(planResize(nics, 1)).toEqual({ ...nothing, release: [nic(1, "leaving")] });
    expect(planResize(nics, 0)).toEqual({
      ...nothing,
      release: [nic(1, "leaving")],
      remove: [nic(0)],
    });
    expect(planResize(nics, 2)).toEqual({ ...nothing, leaving: [nic(1, "leaving")], add: 1 });
  });

  it("knows nothing of a VMM where the VM does not run", () => {
    expect(planResize([nic(0, "detached")], 2)).toEqual({ ...nothing, add: 1 });
  });
});

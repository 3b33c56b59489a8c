import { writeFileSync } from "node:fs";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { KERNEL, Place } from "./support/sim.ts";

const VM = ["--kernel", "kernel", "--console", "off", "--serial", "null"];

describe("a simulated VMM that is told to go wrong", () => {
  let place: Place;
  beforeEach(() => {
    place = new Place();
    writeFileSync(place.path("kernel"), KERNEL);
  });
  afterEach(async () => {
    await place.dispose();
  });

  it("fails a call as often as it was told, without doing it", async () => {
    const body = JSON.stringify(["Error from API", "no"]);
    const sim = await place.start(VM, {
      faults: [{ call: "vm.pause", nth: 2, action: "fail", status: 503, body }],
    });
    expect((await sim.call("vm.pause")).status).toBe(204);
    await sim.call("vm.resume");
    expect(await sim.call("vm.pause")).toEqual({ status: 503, body: ["Error from API", "no"] });
    expect((await sim.info()).state).toBe("Running");
    expect((await sim.call("vm.pause")).status).toBe(204);
  });

  it("hangs in a call, and with it for everybody", async () => {
    const sim = await place.start(VM, { faults: [{ call: "vm.pause", action: "hang" }] });
    await sim.info();
    const answers = [sim.call("vm.pause"), sim.call("vmm.ping")];
    const first = await Promise.race([
      ...answers,
      new Promise((resolve) => setTimeout(resolve, 300, "none")),
    ]);
    expect(first).toBe("none");
    sim.program.signal("SIGTERM");
    expect(await sim.program.ended).toEqual({ code: 0, signal: null });
  });

  it("takes its time", async () => {
    const sim = await place.start(VM, { faults: [{ call: "vm.info", action: "slow", ms: 300 }] });
    await sim.call("vmm.ping");
    const start = performance.now();
    expect((await sim.info()).state).toBe("Running");
    expect(performance.now() - start).toBeGreaterThan(290);
  });

  it("ends in a call", async () => {
    const exiting = await place.start(VM, {
      faults: [{ call: "vm.pause", action: "exit", code: 7 }],
    });
    expect((await exiting.call("vm.pause")).status).toBe(0);
    expect(await exiting.program.ended).toEqual({ code: 7, signal: null });
    const killed = await place.start(VM, { faults: [{ call: "vm.pause", action: "kill" }] });
    expect((await killed.call("vm.pause")).status).toBe(0);
    expect(await killed.program.ended).toEqual({ code: null, signal: "SIGKILL" });
  });

  it("answers vmm.shutdown and stays for ever", async () => {
    const sim = await place.start(VM, {
      faults: [{ call: "vmm.shutdown", action: "answer-and-hang" }],
    });
    expect((await sim.call("vmm.shutdown")).status).toBe(200);
    sim.program.signal("SIGTERM");
    expect(await sim.program.waitEnd(300)).toBeUndefined();
  });

  it("learns of faults while it runs, from a file", async () => {
    const controlFile = place.path("control.json");
    const sim = await place.start(VM, { controlFile });
    expect((await sim.call("vm.pause")).status).toBe(204);
    writeFileSync(
      controlFile,
      JSON.stringify([{ call: "vm.resume", nth: 1, action: "fail", status: 500 }]),
    );
    expect((await sim.call("vm.resume")).status).toBe(500);
    expect((await sim.call("vm.resume")).status).toBe(204);
  });

  it("has a guest that minds the power button, or does not", async () => {
    const deaf = await place.start(VM, { guest: { powerButton: "ignore" } });
    expect((await deaf.call("vm.power-button")).status).toBe(204);
    expect(await deaf.program.waitEnd(200)).toBeUndefined();
    const obedient = await place.start(VM, { socket: "b.sock" });
    await obedient.info();
    expect((await obedient.call("vm.power-button")).status).toBe(204);
    expect(await obedient.program.ended).toEqual({ code: 0, signal: null });
  });

  it("says which setting makes no sense, and why", async () => {
    for (const [name, value, reason] of [
      ["CH_SIM_FAULTS", "[{]", "CH_SIM_FAULTS: "],
      [
        "CH_SIM_FAULTS",
        '[{"call":"vm.boot","action":"explode"}]',
        "CH_SIM_FAULTS: fault 1: action",
      ],
      ["CH_SIM_GUEST", '{"ackRemoval":"soon"}', "CH_SIM_GUEST: ackRemoval"],
      ["CH_SIM_HOST", '{"colour":"red"}', "CH_SIM_HOST: "],
    ] as const) {
      const sim = place.launch(["--version"], {}, { [name]: value });
      expect(await sim.program.ended).toEqual({ code: 2, signal: null });
      expect(sim.program.stderr).toContain(reason);
    }
  });
});

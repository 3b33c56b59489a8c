import {
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { KERNEL, Place, type Sim } from "./support/sim.ts";
import { Terminal } from "./support/terminal.ts";

const VM = ["--kernel", "kernel", "--memory", "size=64M", "--console", "pty", "--serial", "off"];

describe("the snapshots of a simulated VM", () => {
  let place: Place;
  beforeEach(() => {
    place = new Place();
    writeFileSync(place.path("kernel"), KERNEL);
    mkdirSync(place.path("snap"));
  });
  afterEach(async () => {
    await place.dispose();
  });

  const terminalOf = async (sim: Sim): Promise<Terminal> =>
    Terminal.pty((await sim.info()).config.console.file ?? "");

  const take = async (): Promise<{ nonce: string; counter: number }> => {
    const sim = await place.start(VM);
    const terminal = await terminalOf(sim);
    await terminal.expect(/ready/);
    const nonce = await terminal.run("nonce");
    await terminal.run("set key some value");
    await new Promise((resolve) => setTimeout(resolve, 350));
    const counter = Number(await terminal.run("counter"));
    terminal.close();
    expect((await sim.call("vm.pause")).status).toBe(204);
    expect((await sim.call("vm.snapshot", { destination_url: "file://snap" })).status).toBe(204);
    sim.program.signal("SIGTERM");
    await sim.program.ended;
    return { nonce, counter };
  };

  it.each(["Copy", "OnDemand"])("bring the guest back as it was, by %s", async (mode) => {
    const { nonce, counter } = await take();
    expect(counter).toBeGreaterThan(2);
    const sim = await place.start();
    const body = { source_url: "file://snap", memory_restore_mode: mode };
    expect((await sim.call("vm.restore", body)).status).toBe(204);
    expect((await sim.info()).state).toBe("Paused");
    expect((await sim.call("vm.resume")).status).toBe(204);
    const terminal = await terminalOf(sim);
    expect(await terminal.run("nonce")).toBe(nonce);
    expect(await terminal.run("get key")).toBe("some value");
    const now = Number(await terminal.run("counter"));
    expect(now).toBeGreaterThanOrEqual(counter);
    expect(now).toBeLessThan(counter + 30);
    terminal.close();
  });

  it("hold the guest's memory in their file and nowhere else", async () => {
    await take();
    const memory = place.path("snap/memory-ranges");
    const before = readFileSync(memory);
    writeFileSync(memory, Buffer.alloc(before.length));
    const sim = await place.start();
    await sim.call("vm.restore", { source_url: "file://snap", resume: true });
    const terminal = await terminalOf(sim);
    expect(await terminal.run("get key")).toBe("");
    terminal.close();
  });

  it("are three files, the memory without holes", async () => {
    await take();
    const memory = statSync(place.path("snap/memory-ranges"));
    expect(memory.size).toBe(64 << 20);
    expect(memory.blocks * 512).toBeGreaterThanOrEqual(memory.size);
    const state = readFileSync(place.path("snap/state.json"), "utf8");
    expect(state).toMatch(/\d{17,}/);
    expect(JSON.parse(readFileSync(place.path("snap/config.json"), "utf8"))).toMatchObject({
      memory: { size: 64 << 20 },
      console: { mode: "Pty" },
    });
  });

  it("are not written over, and not written while the VM runs", async () => {
    const sim = await place.start(VM);
    const running = await sim.call("vm.snapshot", { destination_url: "file://snap" });
    expect(running.body).toContain("Trying to snapshot while VM is running");
    expect(existsSync(place.path("snap/config.json"))).toBe(false);
    await sim.call("vm.pause");
    await sim.call("vm.snapshot", { destination_url: "file://snap" });
    const again = await sim.call("vm.snapshot", { destination_url: "file://snap" });
    expect(again.body).toContain("File exists (os error 17)");
  });

  it("end the VMM when the memory of an on-demand restore goes away", async () => {
    await take();
    const sim = await place.start();
    await sim.call("vm.restore", { source_url: "file://snap", memory_restore_mode: "OnDemand" });
    truncateSync(place.path("snap/memory-ranges"), 0);
    expect((await sim.call("vm.resume")).status).toBe(204);
    expect(await sim.program.ended).toEqual({ code: 0, signal: null });
  });

  it("can be what the arguments ask for", async () => {
    const { nonce } = await take();
    const sim = await place.start(["--restore", "source_url=file://snap,resume=true"]);
    const terminal = await terminalOf(sim);
    expect(await terminal.run("nonce")).toBe(nonce);
    terminal.close();
  });
});

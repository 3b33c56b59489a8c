import { readFileSync, writeFileSync } from "node:fs";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { KERNEL, Place } from "./support/sim.ts";
import { Terminal } from "./support/terminal.ts";

describe("the consoles of a simulated VM", () => {
  let place: Place;
  beforeEach(() => {
    place = new Place();
    writeFileSync(place.path("kernel"), KERNEL);
  });
  afterEach(async () => {
    await place.dispose();
  });

  it("are a terminal whose path vm.info tells, with a shell behind it", async () => {
    const sim = await place.start(["--kernel", "kernel", "--console", "pty", "--serial", "off"]);
    const path = (await sim.info()).config.console.file ?? "";
    expect(path).toMatch(/^\/dev\/pts\/\d+$/);
    const terminal = Terminal.pty(path);
    await terminal.expect(/silk guest ready/);
    expect(await terminal.run("echo hello there")).toBe("hello there");
    expect(await terminal.run("hostname")).toBe("silk");
    terminal.close();
  });

  it("keep what the guest says until somebody opens the terminal, and go on after that one has left", async () => {
    const sim = await place.start(["--kernel", "kernel", "--console", "pty", "--serial", "off"]);
    const path = (await sim.info()).config.console.file ?? "";
    const first = Terminal.pty(path);
    await first.expect(/silk guest ready/);
    first.close();
    const second = Terminal.pty(path);
    expect(await second.run("echo again")).toBe("again");
    second.close();
    expect((await sim.call("vmm.ping")).status).toBe(200);
  });

  it("neither stop nor slow the VMM when a guest's output is read by nobody", async () => {
    const sim = await place.start([
      "--kernel",
      "kernel",
      "--console",
      "pty",
      "--serial",
      "socket=serial.sock",
    ]);
    await sim.info();
    const serial = Terminal.socket(place.path("serial.sock"));
    await serial.run("flood 300000");
    serial.close();
    expect((await sim.call("vmm.ping")).status).toBe(200);
    const path = (await sim.info()).config.console.file ?? "";
    const terminal = Terminal.pty(path);
    await terminal.expect(/flooded\r\n$/);
    terminal.close();
  });

  it("are a socket of which the last client has hold", async () => {
    const sim = await place.start([
      "--kernel",
      "kernel",
      "--console",
      "off",
      "--serial",
      "socket=serial.sock",
    ]);
    await sim.info();
    const first = Terminal.socket(place.path("serial.sock"));
    expect(await first.run("echo one")).toBe("one");
    const second = Terminal.socket(place.path("serial.sock"));
    await first.end();
    expect(await second.run("echo two")).toBe("two");
    second.close();
  });

  it("are a file where one is named", async () => {
    const sim = await place.start([
      "--kernel",
      "kernel",
      "--console",
      "off",
      "--serial",
      "file=serial.log",
    ]);
    await sim.info();
    expect(readFileSync(place.path("serial.log"), "utf8")).toContain("silk guest ready");
  });

  it("are greeted by the guest only where its command line names them", async () => {
    const sim = await place.start([
      "--kernel=kernel",
      "--cmdline=console=ttyS0",
      "--console=file=console.log",
      "--serial=file=serial.log",
    ]);
    await sim.info();
    expect(readFileSync(place.path("console.log"), "utf8")).toBe("");
    expect(readFileSync(place.path("serial.log"), "utf8")).toContain("silk guest ready");
  });

  it("end the VMM when the guest shuts down, and not when it has been told to stay", async () => {
    const sim = await place.start([
      "--kernel",
      "kernel",
      "--console",
      "off",
      "--serial",
      "socket=serial.sock",
    ]);
    await sim.info();
    const terminal = Terminal.socket(place.path("serial.sock"));
    const done = terminal.run("poweroff").catch(() => undefined);
    expect(await sim.program.ended).toEqual({ code: 0, signal: null });
    terminal.close();
    await done;
    const staying = await place.start(
      ["--kernel", "kernel", "--console", "off", "--serial", "socket=other.sock", "--no-shutdown"],
      { socket: "b.sock" },
    );
    await staying.info();
    const other = Terminal.socket(place.path("other.sock"));
    const gone = other.run("poweroff").catch(() => undefined);
    await other.end();
    expect((await staying.info()).state).toBe("Created");
    other.close();
    await gone;
  });

  it("reboot the guest on its own wish, with the same consoles and everything forgotten", async () => {
    const sim = await place.start([
      "--kernel",
      "kernel",
      "--console",
      "off",
      "--serial",
      "socket=serial.sock",
    ]);
    await sim.info();
    const terminal = Terminal.socket(place.path("serial.sock"));
    const nonce = await terminal.run("nonce");
    const done = terminal.run("reboot").catch(() => undefined);
    await terminal.end();
    await done;
    expect((await sim.info()).state).toBe("Running");
    const after = Terminal.socket(place.path("serial.sock"));
    expect(await after.run("nonce")).not.toBe(nonce);
    after.close();
    terminal.close();
  });
});

import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { recordedEvents } from "./replay/events.ts";
import { SIMULATOR } from "./replay/program.ts";
import { KERNEL, Place } from "./support/sim.ts";

const VM = ["--kernel", "kernel", "--console", "off", "--serial", "null"];

describe("a simulated VMM's process", () => {
  let place: Place;
  beforeEach(() => {
    place = new Place();
    writeFileSync(place.path("kernel"), KERNEL);
  });
  afterEach(async () => {
    await place.dispose();
  });

  it.each(["SIGTERM", "SIGINT"] as const)(
    "ends cleanly on %s, and takes its socket along",
    async (signal) => {
      const sim = await place.start(VM);
      await sim.info();
      sim.program.signal(signal);
      expect(await sim.program.ended).toEqual({ code: 0, signal: null });
      expect(existsSync(sim.socket)).toBe(false);
      expect(existsSync(`${sim.socket}.lock`)).toBe(true);
    },
  );

  it.each(["SIGHUP", "SIGKILL"] as const)("dies of %s, and leaves its socket", async (signal) => {
    const sim = await place.start(VM);
    sim.program.signal(signal);
    expect(await sim.program.ended).toEqual({ code: null, signal });
    expect(existsSync(sim.socket)).toBe(true);
    const next = await place.start(VM);
    expect((await next.call("vmm.ping")).status).toBe(200);
  });

  it("ends when another one has its socket", async () => {
    const first = await place.start();
    const second = place.launch(["--api-socket", "api.sock"]);
    expect(await second.program.ended).toEqual({ code: 1, signal: null });
    expect(second.program.stderr).toContain('API socket "api.sock" is already in use');
    expect((await first.call("vmm.ping")).status).toBe(200);
  });

  it("answers vmm.shutdown before it ends", async () => {
    const sim = await place.start(VM);
    expect((await sim.call("vmm.shutdown")).status).toBe(200);
    expect(await sim.program.ended).toEqual({ code: 0, signal: null });
  });

  it("is told of bad arguments with exit code 2, and of what failed with 1", async () => {
    const bad = place.launch(["--bogus"]);
    expect(await bad.program.ended).toEqual({ code: 2, signal: null });
    expect(bad.program.stderr).toContain("error: unexpected argument '--bogus' found");
    const failing = place.launch(["--kernel", "missing", "--console", "off"]);
    expect(await failing.program.ended).toEqual({ code: 1, signal: null });
    expect(failing.program.stderr).toContain("  2: Cannot open kernel file\n  3: No such file");
  });

  it("tells its events to a file or to a descriptor", async () => {
    const sim = await place.start([...VM, "--event-monitor", "path=events"]);
    await sim.info();
    sim.program.signal("SIGTERM");
    await sim.program.ended;
    const names = recordedEvents(readFileSync(place.path("events"), "utf8")).map(
      ({ event }) => event,
    );
    expect(names).toEqual(["starting", "booting", "booted", "shutdown", "deleted", "shutdown"]);
    const fd = openSync(place.path("events-fd"), "w");
    const [file = "", ...rest] = SIMULATOR;
    const child = spawn(file, [...rest, ...VM, "--event-monitor", "fd=3"], {
      cwd: place.directory,
      stdio: ["ignore", "ignore", "ignore", fd],
    });
    closeSync(fd);
    await untilText(place.path("events-fd"), "booted");
    child.kill();
    await once(child, "exit");
    expect(
      recordedEvents(readFileSync(place.path("events-fd"), "utf8")).map(({ event }) => event),
    ).toEqual(names);
  });

  it("runs on without input and output, in a session of its own", async () => {
    const [file = "", ...rest] = SIMULATOR;
    const script = `exec 0<&- 1>&- 2>&-; exec "$0" "$@"`;
    const child = spawn(
      "sh",
      ["-c", script, file, ...rest, "--api-socket", "api.sock", "--kernel", "kernel"],
      {
        cwd: place.directory,
        detached: true,
        stdio: "ignore",
      },
    );
    const sim = place.launch(["--version"]);
    await sim.program.ended;
    const socket = place.path("api.sock");
    await untilExists(socket);
    const { request } = await import("./replay/wire.ts");
    const reply = await request(socket, { method: "GET", path: "/api/v1/vm.info", body: null });
    expect(typeof reply === "object" && reply.body).toContain('"state":"Running"');
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
  });

  it("can be started through a link", async () => {
    const link = place.path("cloud-hypervisor");
    symlinkSync(SIMULATOR.at(-1) ?? "", link);
    const child = spawn(process.execPath, ["--conditions=@silkvm/source", link, "--version"]);
    let text = "";
    child.stdout.on("data", (data: Buffer) => (text += data.toString()));
    expect(await once(child, "close")).toEqual([0, null]);
    expect(text).toBe("cloud-hypervisor v53.0\nMigration Protocol Versions: 0\n");
  });

  it("serves a socket that it was given open", async () => {
    const server = createServer();
    server.listen(place.path("given.sock"));
    await once(server, "listening");
    const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
    const [file = "", ...rest] = SIMULATOR;
    const child = spawn(file, [...rest, "--api-socket", "fd=3"], {
      cwd: place.directory,
      stdio: ["ignore", "ignore", "ignore", fd],
    });
    const { request } = await import("./replay/wire.ts");
    const call = { method: "GET", path: "/api/v1/vmm.ping", body: null };
    server.close();
    const reply = await request(join(place.directory, "given.sock"), call);
    expect(reply).not.toBe("empty");
    child.kill("SIGKILL");
  });
});

async function untilExists(path: string): Promise<void> {
  while (!existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 10));
}

async function untilText(path: string, text: string): Promise<void> {
  while (!readFileSync(path, "utf8").includes(text)) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

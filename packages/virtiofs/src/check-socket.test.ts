import { once } from "node:events";
import { renameSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import type { AttachedTo } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { afterEach, describe, expect, it } from "vitest";
import { type Scene, scene } from "../test/scene.ts";
import { checkSocket } from "./check-socket.ts";
import { socketUse } from "./unix-sockets.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listen(path: string): Promise<{ clients: number }> {
  const seen = { clients: 0 };
  const server = createServer((client) => {
    seen.clients++;
    client.on("error", () => {});
  }).listen(path);
  servers.push(server);
  await once(server, "listening");
  return seen;
}

const check = (here: Scene, socket: string) =>
  checkSocket(socket, { vm: here.vm, id: "silk-fs-a", context: here.context() });

describe("the socket of a virtiofsd", () => {
  it("is looked at without becoming its client", async () => {
    await using here = await scene();
    const path = join(here.dir, "s");
    const seen = await listen(path);
    expect(await check(here, path)).toEqual({ isVisible: true });
    await new Promise(setImmediate);
    expect(seen.clients).toBe(0);
  });

  it("is fine by another name than its server gave it, but cannot be watched then", async () => {
    await using here = await scene();
    await listen(join(here.dir, "s"));
    renameSync(join(here.dir, "s"), join(here.dir, "t"));
    expect(await check(here, join(here.dir, "t"))).toEqual({ isVisible: false });
  });

  it("is refused where somebody is its client", async () => {
    await using here = await scene();
    const path = join(here.dir, "s");
    await listen(path);
    const client = connect(path);
    await once(client, "connect");
    expect(await socketUse(linuxHost(), path)).toEqual({ listening: true, clients: 1 });
    await expect(check(here, path)).rejects.toMatchObject({ code: "SOCKET_BUSY" });
    client.destroy();
  });

  it("is refused where another VM, or this one by another tag, has it; one that has it no more is in nobody's way", async () => {
    await using here = await scene();
    const path = join(here.dir, "s");
    await listen(path);
    const other = (state: string, id = "silk-fs-b"): AttachedTo =>
      ({
        vm: { id: "a1", name: "web" },
        attachment: { kind: "virtiofs", id, state, keep: true, data: { socket: path } },
      }) as AttachedTo;
    here.attached.push(other("attached"));
    await expect(check(here, path)).rejects.toMatchObject({
      code: "SOCKET_BUSY",
      message: expect.stringContaining("the VM web") as string,
    });
    here.attached.splice(0, 1, other("detached"), other("attaching", "silk-fs-a"));
    await check(here, path);
  });

  it("is refused at once where nobody listens on it any more", async () => {
    await using here = await scene();
    const path = join(here.dir, "s");
    await listen(path);
    // A server that closes takes its name with it; one that is killed leaves it.
    renameSync(path, `${path}.kept`);
    servers.splice(0).forEach((server) => server.close());
    const began = performance.now();
    await expect(check(here, `${path}.kept`)).rejects.toMatchObject({
      code: "SOCKET_DEAD",
      kind: "unavailable",
    });
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  it("is refused where it is missing, no socket, or too long to be one", async () => {
    await using here = await scene();
    await expect(check(here, join(here.dir, "none"))).rejects.toMatchObject({
      code: "SOCKET_NOT_FOUND",
    });
    writeFileSync(join(here.dir, "file"), "");
    await expect(check(here, join(here.dir, "file"))).rejects.toMatchObject({
      code: "INVALID_SOCKET",
      message: expect.stringContaining("is a file") as string,
    });
    await expect(check(here, `/${"x".repeat(107)}`)).rejects.toMatchObject({
      code: "INVALID_SOCKET",
      message: expect.stringContaining("108 bytes") as string,
    });
  });
});

import { existsSync } from "node:fs";
import { join } from "node:path";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, it } from "vitest";
import { type Scene, scene } from "../test/scene.ts";
import type { ServedFsData } from "./fs-device.ts";
import { hangUp } from "./hang-up.ts";
import { endServer, findServer } from "./server-processes.ts";
import { startServer } from "./start-server.ts";

const host = linuxHost();

function dataOf(here: Scene): ServedFsData {
  return {
    tag: "a",
    dir: here.dir,
    readonly: false,
    cache: "auto",
    socket: join(here.dir, "run/s/a1/fs-a.sock"),
    numQueues: 1,
    queueSize: 1024,
  };
}

/** A stand-in that is told the version at first, and then does as these lines say. `$socket` is its socket. */
async function start(here: Scene, lines: string): Promise<void> {
  const virtiofsd = await here.program(
    "vfsd",
    `[ "$1" = --version ] && { echo virtiofsd 1.14.0; exit; }\nsocket=\${1#--socket-path=}\n${lines}`,
  );
  await startServer(here.vm, dataOf(here), here.context({ config: { virtiofsd } }));
}

const listens = (said: string, more = ""): string =>
  `exec '${process.execPath}' -e 'require("net").createServer().listen(process.argv[1].slice(14), () => console.error("${said}")); ${more}' -- "$@"`;

describe("a virtiofsd that is started", () => {
  it("is ready once it says so, is found by its socket alone, and leaves nothing once it is ended", async () => {
    await using here = await scene();
    await start(
      here,
      `echo $$ > "$socket.pid"\n${listens("Waiting for vhost-user socket connection...")}`,
    );
    const { socket } = dataOf(here);
    const [server] = await findServer(host, socket);
    expect(host.processes.isAlive(server!)).toBe(true);
    await endServer(host, socket);
    expect(host.processes.isAlive(server!)).toBe(false);
    expect([existsSync(socket), existsSync(`${socket}.pid`)]).toEqual([false, false]);
    await endServer(host, socket);
  });

  it("of a user is ended without a look at what is root's", async () => {
    await using here = await scene();
    const { socket } = dataOf(here);
    const looked: string[] = [];
    const files = Object.assign(Object.create(host.files) as typeof host.files, {
      stat: async (path: string) => {
        looked.push(path);
        return await host.files.stat(path);
      },
    });
    await endServer({ ...host, files, facts: { ...host.facts, uid: 1000 } }, socket);
    expect(looked).toEqual([socket, `${socket}.pid`]);
  });

  it("and listens without a word is taken for ready after a while", async () => {
    await using here = await scene();
    await start(here, listens("hello"));
  });

  it("and does not end when it is asked to is killed", async () => {
    await using here = await scene();
    await start(here, listens("Waiting for vhost-user socket", 'process.on("SIGTERM", () => {})'));
    await endServer(host, dataOf(here).socket);
    expect(await findServer(host, dataOf(here).socket)).toEqual([]);
  });

  it("and ends is told of with the end of its log", async () => {
    await using here = await scene();
    const log =
      "[2026-01-01T00:00:00Z ERROR virtiofsd] Error entering sandbox: Operation not permitted";
    await expect(start(here, `echo '${log}' >&2; exit 1`)).rejects.toMatchObject({
      code: "VIRTIOFSD_FAILED",
      message: `virtiofsd ended before it served ${here.dir}: Error entering sandbox: Operation not permitted`,
      hint: expect.stringContaining("--sandbox") as string,
      details: { log: ["Error entering sandbox: Operation not permitted"] },
    });
  });

  it("and is given up on while it starts can be ended by whoever comes next", async () => {
    await using here = await scene();
    const virtiofsd = await here.program(
      "vfsd",
      `[ "$1" = --version ] && { echo virtiofsd 1.14.0; exit; }\nexec sh -c "sleep 60; :" sh "$@"`,
    );
    const signal = AbortSignal.timeout(200);
    const starting = startServer(
      here.vm,
      dataOf(here),
      here.context({ config: { virtiofsd }, signal }),
    );
    await expect(starting).rejects.toMatchObject({ name: "TimeoutError" });
    expect(await findServer(host, dataOf(here).socket)).toHaveLength(1);
    await endServer(host, dataOf(here).socket);
    expect(await findServer(host, dataOf(here).socket)).toEqual([]);
  });
});

it("whoever is hung up on finds somebody who ends the connection at once, where nobody was", async () => {
  await using here = await scene();
  const { socket } = dataOf(here);
  {
    await using _ = await hangUp(host, socket);
    const connection = await host.connect(socket);
    connection.resume();
    await new Promise((resolve) => connection.once("close", resolve));
  }
  expect(existsSync(socket)).toBe(false);
});

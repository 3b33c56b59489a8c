import { once } from "node:events";
import { symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { startScript } from "../../test/script.ts";
import { temporaryDirectory } from "../../test/temporary-directory.ts";
import { isListening } from "./is-listening.ts";

test("a server is seen by every name that its socket has, and hears of nobody", async () => {
  using directory = temporaryDirectory();
  const path = directory.join("socket");
  let clients = 0;
  const server = createServer(() => clients++).listen(path);
  await once(server, "listening");
  symlinkSync(path, directory.join("other"));
  expect(await isListening(path)).toBe(true);
  expect(await isListening(directory.join("other"))).toBe(true);
  await new Promise(setImmediate);
  expect(clients).toBe(0);
  server.close();
});

test("what is missing, no socket, or left by a server that was killed is served by nobody", async () => {
  using directory = temporaryDirectory();
  expect(await isListening(directory.join("missing"))).toBe(false);
  writeFileSync(directory.join("file"), "");
  expect(await isListening(directory.join("file"))).toBe(false);
  expect(await isListening(directory.join("file/below"))).toBe(false);
  const path = directory.join("socket");
  {
    await using script = startScript(
      `import { createServer } from "node:net";
       createServer().listen(args[0], () => console.log("listening"));`,
      path,
    );
    expect(await script.line()).toBe("listening");
    expect(await isListening(path)).toBe(true);
    await script.kill();
  }
  expect(await isListening(path)).toBe(false);
});

test("a path that no socket can have is an error", async () => {
  await expect(isListening(`/${"x".repeat(107)}`)).rejects.toMatchObject({ code: "ENAMETOOLONG" });
});

import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, readdirSync, readlinkSync, readSync, writeFileSync, writeSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { HostTerminal } from "@silkvm/core";
import { startScript } from "../../test/script.ts";
import { temporaryDirectory } from "../../test/temporary-directory.ts";
import { openPty, type Pty } from "../pty.ts";
import { getWindowSize } from "../window-size.ts";
import { openTerminal } from "./terminal.ts";

let pty: Pty;
let isClosed: boolean;

beforeEach(() => {
  pty = openPty();
  isClosed = false;
});

afterEach(() => {
  if (!isClosed) closeSync(pty.fd);
});

function hangUp(): void {
  closeSync(pty.fd);
  isClosed = true;
}

function readMaster(): string {
  const buffer = Buffer.alloc(65_536);
  return buffer.toString("latin1", 0, readSync(pty.fd, buffer));
}

async function close(terminal: HostTerminal): Promise<void> {
  terminal.destroy();
  if (!terminal.closed) await new Promise((resolve) => terminal.once("close", resolve));
}

test("bytes pass both ways as they are, control characters too", async () => {
  const terminal = await openTerminal(pty.path);
  writeSync(pty.fd, "\u0003\u0004\r\n\u007f");
  expect(String(await once(terminal, "data"))).toBe("\u0003\u0004\r\n\u007f");
  await new Promise((resolve) => terminal.write("a\nb\u0003", resolve));
  expect(readMaster()).toBe("a\nb\u0003");
  await close(terminal);
});

test("the window size reaches the other side, and is of no effect once the terminal is closed", async () => {
  const terminal = await openTerminal(pty.path);
  terminal.resize({ rows: 50, columns: 132 });
  expect(getWindowSize(pty.fd)).toEqual({ rows: 50, columns: 132 });
  await close(terminal);
  terminal.resize({ rows: 1, columns: 1 });
  expect(getWindowSize(pty.fd)).toEqual({ rows: 50, columns: 132 });
});

test("the stream ends when the other side hangs up, after what it sent last", async () => {
  const terminal = await openTerminal(pty.path);
  writeSync(pty.fd, "last words");
  let received = "";
  for await (const chunk of terminal) {
    received += String(chunk);
    if (!isClosed) hangUp();
  }
  expect(received).toBe("last words");
  expect(terminal.errored).toBeNull();
});

test("a writer to a terminal that hung up is told so", async () => {
  const terminal = await openTerminal(pty.path);
  terminal.on("error", () => {});
  hangUp();
  const error = await new Promise((resolve) => terminal.write("x", resolve));
  expect(error).toMatchObject({ code: "EIO" });
  await close(terminal);
});

test("a reader that does not keep up slows the writer down and loses nothing", async () => {
  const terminal = await openTerminal(pty.path);
  const source = Array.from({ length: 40_000 }, (_, index) => `${index}\n`).join("");
  const writer = spawn("cat", { stdio: ["pipe", pty.fd, "inherit"] });
  writer.stdin?.end(source);
  await setTimeout(100);
  expect(writer.exitCode).toBeNull();
  let received = "";
  for await (const chunk of terminal) {
    received += String(chunk);
    if (received.length >= source.length) break;
  }
  expect(received).toBe(source);
});

test("a terminal that is closed leaves no descriptor behind", async () => {
  const terminal = await openTerminal(pty.path);
  await close(terminal);
  const open = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return "";
    }
  });
  expect(open).not.toContain(pty.path);
});

test("what is no terminal is ENOTTY, what is missing ENOENT, and an abort the signal's own reason", async () => {
  using directory = temporaryDirectory();
  writeFileSync(directory.join("file"), "");
  await expect(openTerminal(directory.join("file"))).rejects.toMatchObject({ code: "ENOTTY" });
  await expect(openTerminal(directory.join("missing"))).rejects.toMatchObject({ code: "ENOENT" });
  const reason = new Error("no more");
  await expect(openTerminal(pty.path, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

test("a program without a controlling terminal still has none after opening one", async () => {
  const pathOf = JSON.stringify(pty.path);
  await using script = startScript(`
    import { spawnSync } from "node:child_process";
    await sys.linuxHost().openTerminal(${pathOf});
    console.log(spawnSync("sh", ["-c", ": </dev/tty"], { encoding: "utf8" }).stderr.includes("/dev/tty"));`);
  expect(await script.line()).toBe("true");
});

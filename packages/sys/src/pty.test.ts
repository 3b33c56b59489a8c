import { spawn } from "node:child_process";
import { closeSync, createReadStream, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { once } from "node:events";
import { ReadStream } from "node:tty";
import { expect, test } from "vitest";
import { openPty, setRawPty } from "./pty.ts";

test("what is written to one side of a raw pseudo-terminal comes out of the other byte by byte", async () => {
  const pty = openPty();
  setRawPty(pty.fd);
  const slave = openSync(pty.path, "r+");
  const terminal = new ReadStream(slave);
  const bytes = Buffer.from([0, 3, 4, 10, 13, 26, 127, 255]);
  writeSync(pty.fd, bytes);
  const received = Buffer.concat((await once(terminal, "data")) as Buffer[]);
  expect(received).toEqual(bytes);
  writeSync(slave, "a\nb");
  const answer = Buffer.alloc(16);
  expect(answer.toString("latin1", 0, readSync(pty.fd, answer))).toBe("a\nb");
  const closed = once(terminal, "close");
  terminal.destroy();
  await closed;
  closeSync(pty.fd);
});

test("a program with the slave side as its terminal answers through the master side", async () => {
  const pty = openPty();
  const slave = openSync(pty.path, "r+");
  const child = spawn("sh", ["-c", 'read -r line; test -t 0 && echo "<$line>"'], {
    stdio: [slave, slave, "inherit"],
  });
  closeSync(slave);
  writeSync(pty.fd, "hello\n");
  let output = "";
  for await (const chunk of createReadStream("", { fd: pty.fd, encoding: "utf8" })) {
    output += String(chunk);
    if (output.includes(">")) break;
  }
  expect(output).toContain("hello\r\n<hello>");
  if (child.exitCode === null) await once(child, "exit");
  expect(child.exitCode).toBe(0);
});

test("the slave of a pseudo-terminal goes when its master is closed", () => {
  const pty = openPty();
  const other = openPty();
  expect(other.path).not.toBe(pty.path);
  closeSync(pty.fd);
  expect(() => openSync(pty.path, "r+")).toThrow(/ENOENT|EIO/);
  closeSync(other.fd);
});

test("other programs do not inherit the master side", () => {
  const pty = openPty();
  const flags = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${pty.fd}`, "utf8"))?.[1];
  expect(Number.parseInt(flags ?? "", 8) & 0o2000000).not.toBe(0);
  closeSync(pty.fd);
});

test("raw mode of what is no terminal is ENOTTY", () => {
  const fd = openSync("/dev/null", "r");
  expect(() => setRawPty(fd)).toThrow(
    expect.objectContaining({ code: "ENOTTY", syscall: "tcgetattr" }),
  );
  closeSync(fd);
});

import { Duplex, PassThrough } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { attach, type AttachOptions } from "./attach.ts";

/** A guest that says what is pushed, and remembers what it is told. */
class Guest extends Duplex {
  heard = "";
  /** Holds back the answer to a write, as a slow guest does. */
  slow: (() => void)[] | undefined;

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: string, done: () => void): void {
    this.heard += bytes.toString();
    if (this.slow === undefined) done();
    else this.slow.push(done);
  }
}

function session(overrides: Partial<AttachOptions> = {}) {
  const guest = new Guest();
  const input = new PassThrough();
  const output = new PassThrough();
  const abort = new AbortController();
  const unread = new AbortController();
  let helped = 0;
  const ending = attach({
    console: guest,
    input,
    output,
    escape: 0x1d,
    idleMs: 30,
    signal: abort.signal,
    unread: unread.signal,
    onHelp: () => (helped += 1),
    onOutput: () => {},
    ...overrides,
  });
  return { guest, input, output, abort, unread, ending, helped: () => helped };
}

describe("attach", () => {
  it("carries bytes both ways until the person leaves", async () => {
    const { guest, input, output, ending, helped } = session();
    input.write("echo hi\r");
    guest.push("hi\r\n");
    await setImmediate();
    input.write("\u001d?\u001d.");
    expect(await ending).toBe("left");
    expect(guest.heard).toBe("echo hi\r");
    expect(output.read()?.toString()).toBe("hi\r\n");
    expect(helped()).toBe(1);
  });

  it("ends with the guest", async () => {
    const { guest, ending } = session();
    guest.push("bye");
    guest.push(null);
    expect(await ending).toBe("closed");
  });

  it.each(["EIO", "EPIPE", "ECONNRESET"])("takes %s for a guest that has gone", async (code) => {
    const { guest, ending } = session();
    guest.destroy(Object.assign(new Error(code), { code }));
    expect(await ending).toBe("closed");
  });

  it("fails with what else goes wrong", async () => {
    const { guest, ending } = session();
    guest.destroy(Object.assign(new Error("no"), { code: "EACCES" }));
    await expect(ending).rejects.toThrow("no");
  });

  it("waits, once the input has ended, until the guest falls silent", async () => {
    const { guest, input, output, ending } = session({ escape: undefined });
    input.end("uptime\n\u001d.");
    await setImmediate();
    guest.push("up 3 days\r\n");
    expect(await ending).toBe("idle");
    expect(guest.heard).toBe("uptime\n\u001d.");
    expect(output.read()?.toString()).toBe("up 3 days\r\n");
  });

  it("waits for the guest's end where it may be silent for ever", async () => {
    const { guest, input, ending } = session({ idleMs: undefined });
    input.end();
    await setImmediate();
    guest.push(null);
    expect(await ending).toBe("closed");
  });

  it("ends when nobody reads what it prints, and when it is told to", async () => {
    const unread = session();
    unread.unread.abort();
    expect(await unread.ending).toBe("unread");
    const aborted = session();
    aborted.abort.abort(new Error("enough"));
    await expect(aborted.ending).rejects.toThrow("enough");
  });

  it("does not read faster than the guest takes it", async () => {
    const { guest, input, ending } = session();
    guest.slow = [];
    const piece = "x".repeat(10_000);
    for (let count = 0; count < 20; count += 1) input.write(piece);
    await setImmediate();
    expect(guest.heard.length).toBeLessThan(piece.length * 20);
    const slow = guest.slow;
    guest.slow = undefined;
    for (const done of slow) done();
    input.end("\u001d.");
    expect(await ending).toBe("left");
    expect(guest.heard).toBe(piece.repeat(20));
  });

  it("leaves no listener behind", async () => {
    const { guest, input, ending } = session();
    const before = [guest, input].map((stream) => stream.listenerCount("error"));
    input.write("\u001d.");
    await ending;
    expect(before).toEqual([1, 1]);
    for (const stream of [guest, input])
      for (const event of ["data", "end", "close", "drain", "error"])
        expect([event, stream.listeners(event).filter(({ name }) => name !== "onend")]).toEqual([
          event,
          [],
        ]);
  });
});

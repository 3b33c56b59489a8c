import { once } from "node:events";
import { createServer, connect, type AddressInfo, type Server } from "node:net";
import { Readable } from "node:stream";
import * as fc from "fast-check";
import { describe, expect, expectTypeOf, it } from "vitest";
import { eventJson, eventText } from "../../test/support/event-texts.ts";
import { eventTimeMs, isEvent, type ChEvent } from "./event.ts";
import { parseEvents, type ParseEventsOptions } from "./parse-events.ts";

const names = [
  "vmm/starting",
  "vm/booting",
  "vm/booted",
  "vm/shutdown",
  "vm/deleted",
  "vmm/shutdown",
];

async function parse(
  chunks: Iterable<string | Uint8Array>,
  options?: ParseEventsOptions,
): Promise<ChEvent[]> {
  const bytes = [...chunks].map((chunk) => Buffer.from(chunk));
  return Array.fromAsync(parseEvents(Readable.from(bytes), options));
}

const namesOf = (events: readonly ChEvent[]): string[] =>
  events.map(({ source, event }) => `${source}/${event}`);

describe("events in a stream", () => {
  it("are the pretty-printed objects in it", async () => {
    const events = await parse([eventText]);
    expect(namesOf(events)).toEqual(names);
    expect(events[0]).toEqual({
      timestamp: { secs: 0, nanos: 61224 },
      source: "vmm",
      event: "starting",
      properties: null,
    });
  });

  it("are the same however the bytes are cut", async () => {
    const bytes = Buffer.from(eventText + eventJson("vm", "gröößer – ☃", 5, { id: '}\n{"\\' }));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 40 }), async (cuts) => {
        const edges = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        const events = await parse(
          edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge)),
        );
        expect(namesOf(events)).toEqual([...names, "vm/gröößer – ☃"]);
        expect(events.at(-1)?.properties).toEqual({ id: '}\n{"\\' });
      }),
    );
    expect(namesOf(await parse(eventText.split("")))).toEqual(names);
  });

  it("may also be on one line each, or side by side", async () => {
    const line = (event: string): string => JSON.stringify(JSON.parse(eventJson("vm", event)));
    expect(namesOf(await parse([`${line("a")}\n${line("b")}${line("c")}`]))).toEqual([
      "vm/a",
      "vm/b",
      "vm/c",
    ]);
  });

  it("are found between anything else", async () => {
    const text = `\0\0garbage } ] " ' \\\n${eventJson("vm", "a")}%%%{ not json }\n[1, 2]\n${eventJson("vm", "b")}{"source":"vm"}\n{}\nnull${eventJson("vm", "c")}`;
    expect(namesOf(await parse([text]))).toEqual(["vm/a", "vm/b", "vm/c"]);
  });

  it("are found behind one that was cut off, wherever that was", async () => {
    const cut = eventJson("vm", "lost", 5, { id: "x" }).trimEnd();
    for (let length = 1; length < cut.length; length++) {
      expect(namesOf(await parse([cut.slice(0, length), `\n${eventJson("vm", "found")}`]))).toEqual(
        ["vm/found"],
      );
    }
  });

  it("that lack something, or have it of another kind, are left out", async () => {
    const good = { timestamp: { secs: 0, nanos: 1 }, source: "vm", event: "x", properties: null };
    const bad = [
      { ...good, timestamp: 5 },
      { ...good, timestamp: { secs: "0", nanos: 1 } },
      { ...good, source: null },
      { ...good, event: undefined },
      { ...good, properties: "a" },
      { ...good, properties: { id: 1 } },
      { ...good, properties: ["a"] },
    ];
    expect(await parse(bad.map((value) => `${JSON.stringify(value)}\n`))).toEqual([]);
    expect(await parse([JSON.stringify(good)])).toHaveLength(1);
  });

  it("are left out when they are longer than allowed, and the next are not", async () => {
    const long = eventJson("vm", "long", 1, { id: "x".repeat(3_000) });
    const text = long + eventJson("vm", "short");
    expect(namesOf(await parse([text], { maxEventBytes: 1_000 }))).toEqual(["vm/short"]);
    expect(namesOf(await parse(text.split(""), { maxEventBytes: 1_000 }))).toEqual(["vm/short"]);
    expect(namesOf(await parse([text], { maxEventBytes: 10_000 }))).toEqual([
      "vm/long",
      "vm/short",
    ]);
  });

  it("cost no more memory when an object never ends, or is nested without end", async () => {
    const before = process.memoryUsage().arrayBuffers;
    const filling = Buffer.alloc(16 * 1024, "x");
    const nesting = Buffer.alloc(16 * 1024, '{"a":');
    const endless = (function* () {
      yield Buffer.from('{"a":"');
      for (let chunk = 0; chunk < 8_000; chunk++) yield filling;
      for (let chunk = 0; chunk < 200; chunk++) yield nesting;
      yield Buffer.from(`\n${eventText}`);
    })();
    expect(namesOf(await Array.fromAsync(parseEvents(Readable.from(endless))))).toEqual(names);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024);
  });

  it("say when they happened, and of a known one what is in it", async () => {
    const [event] = await parse([
      eventJson("vm", "device-removed", 1_500_000, { id: "d", bdf: "0000:00:05.0" }),
    ]);
    if (event === undefined || !isEvent(event, "vm", "device-removed"))
      throw new Error("not recognised");
    expect(event.properties.bdf).toBe("0000:00:05.0");
    expectTypeOf(event.properties.bdf).toEqualTypeOf<string>();
    expect(eventTimeMs({ ...event, timestamp: { secs: 2, nanos: 1_500_000 } })).toBe(2001.5);
    expect(isEvent(event, "vm", "booted")).toBe(false);
  });
});

describe("reading a stream of events", () => {
  it("ends with the signal, also while nothing comes, with its reason", async () => {
    await using pipe = await SocketPair.open();
    const controller = new AbortController();
    const events = parseEvents(pipe.reader, { signal: controller.signal });
    pipe.writer.write(eventText.slice(0, 150));
    expect((await events.next()).value?.event).toBe("starting");
    const next = events.next();
    controller.abort("enough");
    await expect(next).rejects.toMatchObject({
      code: "CH_ABORTED",
      name: "AbortError",
      cause: "enough",
    });
    expect((await events.next()).done).toBe(true);
    await expect(
      parseEvents(pipe.reader, { signal: controller.signal }).next(),
    ).rejects.toMatchObject({ cause: "enough" });
  });

  it("ends with the loop that reads it, and ends the stream", async () => {
    await using pipe = await SocketPair.open();
    pipe.writer.write(eventText);
    for await (const { event } of parseEvents(pipe.reader)) if (event === "booted") break;
    if (!pipe.reader.closed) await once(pipe.reader, "close");
    expect(pipe.reader.destroyed).toBe(true);
  });

  it("fails as the stream fails", async () => {
    const failing = (async function* () {
      yield Buffer.from(eventText);
      throw Object.assign(new Error("read"), { code: "EIO" });
    })();
    const events: ChEvent[] = [];
    await expect(
      (async () => {
        for await (const event of parseEvents(failing)) events.push(event);
      })(),
    ).rejects.toMatchObject({ code: "EIO" });
    expect(namesOf(events)).toEqual(names);
  });
});

/** Two ends of a connection. */
class SocketPair implements AsyncDisposable {
  readonly #server: Server;
  readonly reader: Readable;
  readonly writer: ReturnType<typeof connect>;

  static async open(): Promise<SocketPair> {
    const server = createServer();
    await once(server.listen(0, "127.0.0.1"), "listening");
    const writer = connect((server.address() as AddressInfo).port, "127.0.0.1");
    const [reader] = (await once(server, "connection")) as [Readable];
    return new SocketPair(server, reader, writer);
  }

  private constructor(server: Server, reader: Readable, writer: ReturnType<typeof connect>) {
    this.#server = server;
    this.reader = reader;
    this.writer = writer.on("error", () => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.writer.destroy();
    this.reader.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

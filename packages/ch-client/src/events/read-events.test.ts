import { appendFile, mkdir, mkdtemp, rename, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventJson, eventText } from "../../test/support/event-texts.ts";
import type { ChEvent } from "./event.ts";
import { readEvents } from "./read-events.ts";

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "ch-events-"));
  path = join(directory, "events.json");
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const names = (events: readonly ChEvent[]): string[] => events.map(({ event }) => event);

/** Reads on in the background, and gives what has come so far. */
function follow(events: AsyncIterable<ChEvent>): {
  readonly seen: string[];
  readonly end: Promise<unknown>;
} {
  const seen: string[] = [];
  const end = (async () => {
    for await (const { event } of events) seen.push(event);
  })().catch((error: unknown) => error);
  return { seen, end };
}

describe("the events in a file", () => {
  it("are read to its end when it is not followed", async () => {
    await writeFile(path, eventText);
    expect(names(await Array.fromAsync(readEvents(path, { follow: false })))).toEqual([
      "starting",
      "booting",
      "booted",
      "shutdown",
      "deleted",
      "shutdown",
    ]);
    await expect(
      Array.fromAsync(readEvents(join(directory, "none"), { follow: false })),
    ).rejects.toMatchObject({ code: "ENOENT" });
    expect(await Array.fromAsync(readEvents(path, { follow: false, fromStart: false }))).toEqual(
      [],
    );
  });

  it("are followed as they are written, in whatever pieces", async () => {
    const { signal, abort } = controls();
    await writeFile(path, eventJson("vm", "a"));
    const { seen, end } = follow(readEvents(path, { signal }));
    await expect.poll(() => seen).toEqual(["a"]);
    const next = eventJson("vm", "b");
    await appendFile(path, next.slice(0, 30));
    await appendFile(path, next.slice(30, 31));
    await appendFile(path, next.slice(31) + eventJson("vm", "c"));
    await expect.poll(() => seen).toEqual(["a", "b", "c"]);
    abort("done");
    expect(await end).toMatchObject({ code: "CH_ABORTED", cause: "done" });
  });

  it("are found when the file comes later, and even its directory", async () => {
    const { signal, abort } = controls();
    const later = join(directory, "run", "events.json");
    const { seen, end } = follow(readEvents(later, { signal }));
    await mkdir(join(directory, "run"));
    await writeFile(later, eventJson("vm", "a"));
    await expect.poll(() => seen).toEqual(["a"]);
    await appendFile(later, eventJson("vm", "b"));
    await expect.poll(() => seen).toEqual(["a", "b"]);
    abort();
    await end;
  });

  it("begin anew when a VMM that starts again empties the file, whatever the new length", async () => {
    const { signal, abort } = controls();
    await writeFile(path, eventJson("vm", "a", 1) + eventJson("vm", "b", 2).slice(0, 40));
    const { seen, end } = follow(readEvents(path, { signal }));
    await expect.poll(() => seen).toEqual(["a"]);
    // Shorter than before; as long as before, and longer: between two looks nobody sees the file empty.
    await truncate(path);
    await writeFile(path, eventJson("vm", "c", 3));
    await expect.poll(() => seen).toEqual(["a", "c"]);
    await writeFile(path, eventJson("vm", "d", 4));
    await expect.poll(() => seen).toEqual(["a", "c", "d"]);
    await writeFile(path, eventJson("vm", "e", 5) + eventText);
    await expect
      .poll(() => seen.slice(3))
      .toEqual(["e", "starting", "booting", "booted", "shutdown", "deleted", "shutdown"]);
    abort();
    await end;
  });

  it("begin anew when the file is removed and made again, or replaced", async () => {
    const { signal, abort } = controls();
    await writeFile(path, eventJson("vm", "a"));
    const { seen, end } = follow(readEvents(path, { signal }));
    await expect.poll(() => seen).toEqual(["a"]);
    await rm(path);
    await writeFile(path, eventJson("vm", "b", 7));
    await expect.poll(() => seen).toEqual(["a", "b"]);
    await writeFile(`${path}.new`, eventJson("vm", "c", 8));
    await rename(`${path}.new`, path);
    await expect.poll(() => seen).toEqual(["a", "b", "c"]);
    abort();
    await end;
  });

  it("are those from now on when asked so, although the file ends inside of one", async () => {
    const { signal, abort } = controls();
    const partial = eventJson("vm", "old");
    await writeFile(path, eventText + partial.slice(0, 20));
    const events = readEvents(path, { signal, fromStart: false });
    const { seen, end } = follow(events);
    // What is appended before the first look counts as old: wait until one event has been seen.
    await expect
      .poll(async () => {
        if (seen.length === 0) await appendFile(path, partial.slice(20) + eventJson("vm", "new"));
        return seen;
      })
      .toContain("new");
    expect(seen).not.toContain("starting");
    abort();
    await end;
  });

  it("are read until the loop is left", async () => {
    await writeFile(path, eventText);
    const seen: string[] = [];
    for await (const { event } of readEvents(path)) {
      seen.push(event);
      if (event === "booted") break;
    }
    expect(seen).toEqual(["starting", "booting", "booted"]);
  });

  it("are not read at all with a signal that has aborted", async () => {
    await writeFile(path, eventText);
    await expect(
      readEvents(path, { signal: AbortSignal.abort("no") }).next(),
    ).rejects.toMatchObject({ code: "CH_ABORTED", cause: "no" });
  });

  it("survive zero bytes, as a file has them that was emptied under a writer", async () => {
    await writeFile(path, Buffer.concat([Buffer.alloc(200_000), Buffer.from(eventText)]));
    expect(await Array.fromAsync(readEvents(path, { follow: false }))).toHaveLength(6);
  });
});

function controls(): { readonly signal: AbortSignal; readonly abort: (reason?: unknown) => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: (reason) => controller.abort(reason) };
}

import { expect, it } from "vitest";

import { RequestParser, type ReadResult } from "./parser.ts";

/** What comes of a text that arrives in pieces of so many bytes. */
function parse(text: string, piece = Number.POSITIVE_INFINITY): ReadResult[] {
  const parser = new RequestParser(51_200);
  const results: ReadResult[] = [];
  for (let rest = Buffer.from(text); rest.length > 0;) {
    const size = Math.min(parser.room, piece, rest.length);
    results.push(parser.read(rest.subarray(0, size)));
    rest = rest.subarray(size);
  }
  return results;
}

const PUT = "PUT /api/v1/vm.resize HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}";

it.each([1, 7, 1000])("reads a request in pieces of %d bytes", (piece) => {
  const [request] = parse(PUT, piece).flatMap(({ requests }) => requests);
  expect(request).toMatchObject({ method: "PUT", uri: "/api/v1/vm.resize", version: "HTTP/1.1" });
  expect(request?.body?.toString()).toBe("{}");
});

it("reads requests that follow each other at once", () => {
  expect(parse(PUT + PUT).flatMap(({ requests }) => requests)).toHaveLength(2);
});

it.each([
  ["POST / HTTP/1.1\r\n\r\n", "Invalid HTTP Method"],
  ["GET / HTTP/3\r\n\r\n", "Unsupported HTTP version"],
  ["garbage\r\n\r\n", "Invalid request"],
  ["PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", "Invalid request"],
  ["PUT / HTTP/1.1\r\nContent-Length: 60000\r\n\r\n", "payload"],
])("refuses %j", (text, message) => {
  expect(parse(text).find(({ error }) => error !== undefined)?.error).toContain(message);
});

it("asks for the body where the client waits to be asked", () => {
  const text = "PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
  expect(parse(text).flatMap(({ continues }) => continues)).toEqual(["HTTP/1.1"]);
});

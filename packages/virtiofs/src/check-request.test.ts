import { expect, it } from "vitest";
import { checkRequest } from "./check-request.ts";
import type { FsRequest } from "./fs-device.ts";

const dir = "/srv";

it.each(["a", "src", "A0_b-c", "x".repeat(36)])("takes the tag %s", (tag) => {
  expect(() => checkRequest({ tag, dir })).not.toThrow();
});

it.each(["", "-a", "_a", "a b", "a.b", "a/b", "ä", "x".repeat(37), "a\n", 7])(
  "refuses the tag %j",
  (tag) => {
    expect(() => checkRequest({ tag: tag as string, dir })).toThrow(
      expect.objectContaining({ code: "INVALID_TAG", kind: "invalid" }),
    );
  },
);

it.each<[string, object]>([
  ["neither a directory nor a socket is named", {}],
  ["both a directory and a socket are named", { dir, socket: "/s" }],
  ['"srv" is no absolute path', { dir: "srv" }],
  ['"s.sock" is no absolute path', { socket: "s.sock" }],
  ["no absolute path", { dir: "/a\0b" }],
  ["0 is no number of queues", { dir, numQueues: 0 }],
  ["1.5 is no number of queues", { dir, numQueues: 1.5 }],
  ["1000 is no size of a queue", { dir, queueSize: 1000 }],
  ["2048 is no size of a queue", { dir, queueSize: 2048 }],
  ['no way to cache that is called "sometimes"', { dir, cache: "sometimes" }],
  ['no sandbox "box"', { dir, sandbox: "box" }],
  ["readonly is for a directory", { socket: "/s", readonly: true }],
  ["cache is for a directory", { socket: "/s", cache: "always" }],
])("refuses: %s", (message, request) => {
  expect(() => checkRequest({ tag: "a", ...request } as FsRequest)).toThrow(
    expect.objectContaining({
      code: "INVALID_SHARE",
      message: expect.stringContaining(message) as string,
    }),
  );
});

import type { FsView } from "@silkvm/virtiofs";
import { expect, it } from "vitest";
import { fsView, renderFsList } from "./fs-list-view.ts";

const shares: readonly FsView[] = [
  {
    kind: "virtiofs",
    id: "silk-fs-src",
    data: {
      tag: "src",
      dir: "/srv/src",
      readonly: true,
      cache: "auto",
      socket: "/run/silk/a1/b2/fs-src.sock",
      numQueues: 1,
      queueSize: 1024,
    },
    state: "attached",
    keep: true,
    bdf: "0000:00:06.0",
    server: "ended",
    serverPids: [],
  },
  {
    kind: "virtiofs",
    id: "silk-fs-own",
    data: { tag: "own", socket: "/run/me/fs.sock", numQueues: 1, queueSize: 1024, isVisible: true },
    state: "attached",
    keep: false,
    server: "serving",
  },
];

it("shows shared directories, one a line", () => {
  expect(renderFsList(shares, {})).toMatchInlineSnapshot(`
    "TAG  STATE     SERVER   ACCESS     KEEP  ADDRESS       FROM
    src  attached  ended    read-only  yes   0000:00:06.0  /srv/src
    own  attached  serving  -          no    -             /run/me/fs.sock
    "
  `);
  expect(renderFsList([], {})).toBe("TAG  STATE  SERVER  ACCESS  KEEP  ADDRESS  FROM\n");
});

it("gives programs each share as one flat object", () => {
  expect(shares.map(fsView)).toEqual([
    {
      id: "silk-fs-src",
      tag: "src",
      dir: "/srv/src",
      socket: "/run/silk/a1/b2/fs-src.sock",
      readonly: true,
      cache: "auto",
      sandbox: null,
      state: "attached",
      server: "ended",
      serverPids: [],
      keep: true,
      bdf: "0000:00:06.0",
    },
    {
      id: "silk-fs-own",
      tag: "own",
      dir: null,
      socket: "/run/me/fs.sock",
      readonly: null,
      cache: null,
      sandbox: null,
      state: "attached",
      server: "serving",
      serverPids: [],
      keep: false,
      bdf: null,
    },
  ]);
});

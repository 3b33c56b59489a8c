import { expect, test } from "vitest";
import { hasCheck, parseConflist, programsOf } from "./conflist.ts";

const parse = (value: unknown) => parseConflist(JSON.stringify(value), "10-lab.conflist");

test("what a plugin was configured with is kept whole", () => {
  const plugin = {
    type: "bridge",
    bridge: "cni0",
    ipam: { type: "host-local", x: [1] },
    deep: { a: null },
  };
  expect(parse({ cniVersion: "1.0.0", name: "lab", plugins: [plugin] }).plugins).toEqual([plugin]);
});

test("a file of a single plugin is a list of one", () => {
  expect(parse({ cniVersion: "0.4.0", name: "lab", type: "ptp", mtu: 1400 })).toEqual({
    cniVersion: "0.4.0",
    name: "lab",
    plugins: [{ type: "ptp", mtu: 1400 }],
  });
});

test("the programs of a network are its plugins and those that give addresses, each once", () => {
  const plugins = [
    { type: "bridge", ipam: { type: "host-local" } },
    { type: "portmap" },
    { type: "portmap" },
    { type: "macvlan", ipam: {} },
  ];
  expect(programsOf(parse({ cniVersion: "1.0.0", name: "lab", plugins }))).toEqual([
    "bridge",
    "host-local",
    "portmap",
    "macvlan",
  ]);
});

test("CHECK came with version 0.4.0", () => {
  const of = (cniVersion: string) => hasCheck(parse({ cniVersion, name: "lab", type: "ptp" }));
  expect(["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"].map(of)).toEqual([
    false,
    false,
    true,
    true,
    true,
  ]);
});

test.each([
  ["no JSON", "{", /10-lab.conflist is no JSON/],
  ["no object", "3", /is not valid/],
  ["no version", { name: "lab", plugins: [{ type: "ptp" }] }, /cniVersion/],
  ["a version of old", { cniVersion: "0.2.0", name: "lab", type: "ptp" }, /must be one of/],
  ["no plugins", { cniVersion: "1.0.0", name: "lab", plugins: [] }, /must have a plugin/],
  ["a path for a plugin", { cniVersion: "1.0.0", name: "lab", type: "../sh" }, /name of a program/],
  [
    "a path for addresses",
    { cniVersion: "1.0.0", name: "lab", type: "ptp", ipam: { type: "/bin/sh" } },
    /name of a program/,
  ],
  ["an odd name", { cniVersion: "1.0.0", name: "a/b", type: "ptp" }, /name/],
])("%s is told for what it is", (_what, content, message) => {
  const text = typeof content === "string" ? content : JSON.stringify(content);
  expect(() => parseConflist(text, "10-lab.conflist")).toThrow(message);
});

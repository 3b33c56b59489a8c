import { expect, it } from "vitest";
import { renderVersion } from "./version-view.ts";

const facts = { silk: "1.2.3", node: "24.0.0", platform: "linux", arch: "x64" };

it("is one line for people", () => {
  expect(renderVersion(facts, { json: false, pretty: false })).toBe(
    "silk 1.2.3 (node 24.0.0, linux-x64)\n",
  );
});

it("is one object for programs", () => {
  expect(JSON.parse(renderVersion(facts, { json: true, pretty: false }))).toEqual(facts);
});

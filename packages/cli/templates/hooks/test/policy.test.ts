import assert from "node:assert/strict";
import { it } from "node:test";
import { policy } from "../src/policy.ts";

it("a VM without an owner is forbidden", () => {
  assert.deepEqual(policy({}), { veto: "a VM needs an owner: --label owner=NAME" });
});

it("a VM with an owner is marked", () => {
  assert.deepEqual(policy({ owner: "me" }), { labels: { policy: "example" } });
});

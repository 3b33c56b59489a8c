import { expect, it } from "vitest";
import { renderEvent } from "./event-view.ts";

const base = { seq: 7, at: "2026-03-01T12:00:00.000Z", vmId: "3f9a", vmName: "web" };

it("is one line with the facts of its type", () => {
  expect(renderEvent({ ...base, type: "vm.started", data: { pid: 42, tookMs: 95 } })).toBe(
    "7  2026-03-01T12:00:00.000Z  vm.started  web  (3f9a)  pid=42  tookMs=95\n",
  );
  expect(renderEvent({ ...base, type: "vm.created", data: {} })).toBe(
    "7  2026-03-01T12:00:00.000Z  vm.created  web  (3f9a)\n",
  );
});

it("stays one line whatever a VMM said", () => {
  const problem = { code: "VMM_EXITED", message: "it ended:\nError: no", at: base.at };
  expect(renderEvent({ ...base, type: "vm.failed", data: { verb: "start", problem } })).toBe(
    "7  2026-03-01T12:00:00.000Z  vm.failed  web  (3f9a)  verb=start  problem=VMM_EXITED: it ended: Error: no\n",
  );
});

it("names the snapshot that it is about", () => {
  const data = { snapshotId: "9c", snapshotName: "web-1", tookMs: 212 };
  expect(renderEvent({ ...base, type: "snapshot.saved", data })).toBe(
    "7  2026-03-01T12:00:00.000Z  snapshot.saved  web  (3f9a)  snapshot=web-1 (9c)  tookMs=212\n",
  );
  expect(renderEvent({ ...base, type: "vm.cloned", data: { ...data, mode: "cow" } })).toBe(
    "7  2026-03-01T12:00:00.000Z  vm.cloned  web  (3f9a)  snapshot=web-1 (9c)  tookMs=212  mode=cow\n",
  );
});

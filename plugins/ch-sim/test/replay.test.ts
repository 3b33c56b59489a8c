import { fileURLToPath } from "node:url";

import { beforeAll, describe, expect, it } from "vitest";

import { type Replayed, replay, tally } from "./replay/replay.ts";

const OWN = fileURLToPath(new URL("fixtures/ch-v53-transcript.jsonl", import.meta.url));
const REPLAY_MS = 900_000;

/** The rows of a kind that did not come out as recorded: their place, their step and what differs. */
function mismatches(all: readonly Replayed[], kind: string): string[] {
  return all
    .filter(({ row }) => row.kind === kind)
    .flatMap(({ at, row, outcome }) =>
      outcome.result === "mismatch" ? [`row ${at + 1}, ${row.step}: ${outcome.why}`] : [],
    );
}

describe("a recording of cloud-hypervisor, replayed", () => {
  let all: Replayed[] = [];

  beforeAll(async () => {
    all = await replay(process.env["CH_TRANSCRIPT"] ?? OWN);
    const lines = Object.entries(tally(all)).map(([kind, { rows, matched, unchecked }]) => {
      const checked = rows - unchecked;
      const share = checked === 0 ? 100 : (100 * matched) / checked;
      const left = unchecked === 0 ? "" : `, ${unchecked} more tell of the recording's host`;
      return `  ${kind}: ${share.toFixed(1)} % match (${matched} of ${checked}${left})`;
    });
    process.stdout.write(`share of the recording that matches:\n${lines.join("\n")}\n`);
  }, REPLAY_MS);

  it("has rows", () => {
    expect(all.length).toBeGreaterThan(0);
  });

  it.each([
    ["call", "every call is answered as recorded"],
    ["raw", "every exchange of bytes is as recorded"],
    ["node-http", "Node's client sees what was recorded"],
    ["proc", "programs start and end as recorded"],
    ["note", "what was noted from outside can be seen again"],
  ])("%s: %s", (kind) => {
    expect(mismatches(all, kind)).toEqual([]);
  });
});

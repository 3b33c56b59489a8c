import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { checksFor } from "./check-list.ts";

it("every check has a section in the troubleshooting guide, under the heading that its address names", async () => {
  const guide = await readFile(
    new URL("../../../../docs/troubleshooting.md", import.meta.url),
    "utf8",
  );
  const headings = new Set(
    guide
      .split("\n")
      .filter((line) => line.startsWith("## "))
      .map((line) => line.slice(3)),
  );
  const anchors = checksFor(["cloud-hypervisor"]).map(({ id, anchor }) => anchor ?? id);
  expect([...headings].sort()).toEqual([...anchors].sort());
});

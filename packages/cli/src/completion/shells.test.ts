import { expect, it } from "vitest";
import { joinBashWords, renderCandidates } from "./shells.ts";

it.each([
  [
    ["vm", "list"],
    ["vm", "list"],
  ],
  [
    ["--a", "=", "b", "c"],
    ["--a=b", "c"],
  ],
  [["--a", "=", ""], ["--a="]],
  [
    ["--f", "k", "=", "v", "=", "w"],
    ["--f", "k=v=w"],
  ],
  [["=", "x"], ["=x"]],
  [[""], [""]],
])("bash's words %j were %j", (words, joined) => {
  expect(joinBashWords(words)).toEqual(joined);
});

it("gives each shell the candidates in its form", () => {
  const candidates = [
    { value: "web", description: "running" },
    { value: "db", description: "" },
  ];
  expect(renderCandidates("bash", "", candidates, ":nothing")).toBe("web\ndb\n:nothing\n");
  expect(renderCandidates("fish", "", candidates, ":nothing")).toBe("web\trunning\ndb\n:nothing\n");
  expect(renderCandidates("zsh", "--vm=w", candidates, ":nothing")).toBe(
    "--vm=web\trunning\n:nothing\n",
  );
  expect(renderCandidates("bash", "--vm=w", candidates, ":nothing")).toBe("web\n:nothing\n");
  expect(renderCandidates("fish", "x", candidates, ":files")).toBe(":files\n");
});

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
  [
    ["--pci", "0000", ":", "01", ":", "00.0"],
    ["--pci", "0000:01:00.0"],
  ],
  [["--pci", "=", "0000", ":"], ["--pci=0000:"]],
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
  expect(renderCandidates("bash", "--vm=w", candidates, ":nothing", "w")).toBe("web\n:nothing\n");
  expect(renderCandidates("bash", "--vm=", candidates, ":nothing", "=")).toBe(
    "web\ndb\n:nothing\n",
  );
  expect(renderCandidates("fish", "x", candidates, ":files")).toBe(":files\n");
});

it("gives Bash what stands behind the last colon, where it cuts words there", () => {
  const candidates = [{ value: "0000:01:00.0", description: "" }];
  const render = (current: string, typed: string): string | undefined =>
    renderCandidates("bash", current, candidates, ":nothing", typed).split("\n")[0];
  expect(render("0000:0", "0")).toBe("01:00.0");
  expect(render("0000:", ":")).toBe("01:00.0");
  expect(render("--pci=0000:01:", ":")).toBe("00.0");
  expect(render("0000:01", "0000:01")).toBe("0000:01:00.0");
  expect(render("--pci=0", "0")).toBe("0000:01:00.0");
});

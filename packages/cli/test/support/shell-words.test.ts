import { expect, it } from "vitest";
import { silkCommands } from "./shell-words.ts";

it.each([
  ["silk vm list # all of them", [["vm", "list"]]],
  ["cd silk", []],
  ["git clone https://x/silk.git && cd silk", []],
  [
    `silk snapshot save web --description "after the 'first' one"`,
    [["snapshot", "save", "web", "--description", "after the 'first' one"]],
  ],
  [
    "silk vm rm $(silk vm list -q)",
    [
      ["vm", "list", "-q"],
      ["vm", "rm", "x"],
    ],
  ],
  [
    `silk vm run --bridge "$(silk network list --json | jq -r '.[0]')"`,
    [
      ["network", "list", "--json"],
      ["vm", "run", "--bridge", "x"],
    ],
  ],
  ["printf 'uptime\\n' | silk vm console web >web.log 2>&1", [["vm", "console", "web"]]],
  [
    "silk vm console web --idle-timeout 0 </dev/null",
    [["vm", "console", "web", "--idle-timeout", "0"]],
  ],
  ["source <(silk completion bash)", [["completion", "bash"]]],
  [
    "silk snapshot export a | ssh host silk snapshot import; SILK_X=1 silk gc",
    [["snapshot", "export", "a"], ["snapshot", "import"], ["gc"]],
  ],
])("finds in `%s` what silk is asked to do", (line, expected) => {
  expect(silkCommands(line)).toEqual(expected);
});

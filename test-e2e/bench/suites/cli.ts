import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { cleanEnvironment, timeNode, timeSilk } from "../program.ts";
import { makePlugins } from "../plugins.ts";
import { makeRecords } from "../records.ts";
import type { Case, Suite } from "../suite.ts";

/** Aims of the project: what is asked for all the time, and what every other command takes to start. */
const hotAim = 1.2;
const longListAim = 1.5;
const startAim = 2.3;
/** What ten plugins that are not used may add. */
const pluginAim = 1.15;

/** How long whole processes take, from their start to their end. */
export const cli: Suite = {
  name: "cli",
  description: "whole processes of `silk` against `node -e 0`",
  async *comparisons({ dir }) {
    const roots = new Map<number, string>();
    for (const count of [0, 100, 1000, 10_000]) {
      const root = join(dir, `records-${count}`);
      roots.set(count, root);
      await makeRecords(root, count);
    }
    const env = (count: number) => ({
      ...cleanEnvironment(dir),
      SILK_ROOT_DIR: roots.get(count) as string,
    });
    const list = (count: number, flags: readonly string[], aim?: number): Case => ({
      name: ["silk vm list", ...flags, `(${count.toLocaleString("en")} VMs)`].join(" "),
      aim,
      run: () => timeSilk(["vm", "list", ...flags], { env: env(count) }),
    });
    const start = (words: string, count = 0): Case => ({
      name: `silk ${words}`,
      aim: startAim,
      run: () => timeSilk(words.split(" "), { env: env(count) }),
    });
    yield {
      title: "silk against node",
      runs: 41,
      peer: { name: "node -e 0", run: () => timeNode({ env: env(0) }) },
      cases: [
        { ...start("version"), aim: hotAim },
        list(0, [], hotAim),
        list(100, []),
        list(1000, []),
        list(10_000, [], longListAim),
        list(10_000, ["--json"]),
        list(0, ["--filter", "state=running"], startAim),
        start("vm inspect web-50", 100),
        start("--help"),
        start("vm create --help"),
        start("config list"),
        start("events", 100),
      ],
    };
    const homes = ["stated", "unstated"] as const;
    for (const home of homes) {
      await mkdir(join(dir, home));
      await makePlugins(join(dir, home), 10, home === "stated");
    }
    const kinds = [
      ["", join(dir, "home")],
      [", 10 plugins", join(dir, "stated")],
      [", 10 plugins that do not state what they bring", join(dir, "unstated")],
    ] as const;
    for (const words of ["vm list", "vm inspect web-50", "--help"]) {
      const [bare, ...loaded] = kinds.map(([suffix, home], index): Case => ({
        name: `silk ${words}${suffix}`,
        aim: index === 1 ? pluginAim : undefined,
        run: () => timeSilk(words.split(" "), { env: { ...env(100), HOME: home } }),
      }));
      yield {
        title: `plugins: silk ${words}`,
        runs: 21,
        peer: bare as Case,
        cases: loaded,
      };
    }
  },
};

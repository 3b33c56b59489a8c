import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { measure } from "./measure.ts";
import { renderResult } from "./report.ts";
import type { Result } from "./suite.ts";
import { archives } from "./suites/archives.ts";
import { cli } from "./suites/cli.ts";
import { clones } from "./suites/clones.ts";
import { counterpart } from "./suites/counterpart.ts";
import { images } from "./suites/images.ts";
import { saves } from "./suites/saves.ts";
import { sdk } from "./suites/sdk.ts";
import { vms } from "./suites/vms.ts";

const suites = [cli, vms, sdk, counterpart, saves, clones, archives, images];
const usage = `Usage: pnpm bench [SUITE…] [--json FILE] [--effort N]

${suites.map(({ name, description }) => `  ${name.padEnd(12)} ${description}`).join("\n")}

  --json FILE  write the results to a file, too
  --effort N   run everything so many times as often; 0.2 for a quick look
  --only TEXT  only what has this in its title
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "string" },
    effort: { type: "string", default: "1" },
    only: { type: "string", default: "" },
    help: { type: "boolean", default: false },
  },
});
const unknown = positionals.filter((name) => !suites.some((suite) => suite.name === name));
if (values.help || unknown.length > 0) {
  process.stdout.write(
    unknown.length > 0 ? `There is no suite ${unknown.join(", ")}.\n\n${usage}` : usage,
  );
  process.exit(values.help ? 0 : 2);
}

const results: Result[] = [];
for (const suite of suites.filter(
  ({ name }) => positionals.length === 0 || positionals.includes(name),
)) {
  const dir = await mkdtemp(join(tmpdir(), "silk-bench-"));
  try {
    await mkdir(join(dir, "home"));
    process.stdout.write(`${suite.name}: ${suite.description}\n`);
    const note = (text: string): void => void process.stdout.write(`  ${text}\n`);
    const effort = Number(values.effort);
    for await (const comparison of suite.comparisons({ dir, effort, note })) {
      if (!comparison.title.includes(values.only)) continue;
      note(comparison.title);
      const result: Result =
        "peer" in comparison
          ? await measure(suite.name, comparison, effort)
          : { suite: suite.name, ...comparison };
      results.push(result);
      process.stdout.write(renderResult(result));
    }
  } finally {
    // Whatever made the suite end says more than this.
    await rm(dir, { recursive: true, force: true }).catch((error: Error) =>
      process.stdout.write(`  ${dir} is left: ${error.message}\n`),
    );
  }
}
if (values.json !== undefined) {
  const machine = { node: process.version, cpus: cpus().length, cpu: cpus()[0]?.model };
  await writeFile(values.json, `${JSON.stringify({ machine, results }, undefined, 2)}\n`);
}

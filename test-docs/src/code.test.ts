import { execFile } from "node:child_process";
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { pages, root } from "./pages.ts";

it("all TypeScript in the pages compiles", async () => {
  const directory = join(import.meta.dirname, "../node_modules/.cache/code");
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  let count = 0;
  // Those about our own tests show a piece of a test, and not what a user writes.
  for (const { path, text } of pages.filter((page) => !page.path.startsWith("test-e2e/")))
    for (const { index, 1: code } of text.matchAll(/^```(?:ts|typescript)\n([\s\S]*?)^```$/gm)) {
      const line = text.slice(0, index).split("\n").length;
      const name = `${path.replaceAll("/", "+").replace(/\.md$/, "")}+${line}.ts`;
      // What the compiler says of a line is true of that line of the page.
      writeFileSync(join(directory, name), `${"\n".repeat(line)}${code}\nexport {};\n`);
      count += 1;
    }
  expect(count).toBeGreaterThan(20);
  cpSync(join(root, "test-docs/fixtures/reader.d.ts"), join(directory, "reader.d.ts"));
  writeFileSync(
    join(directory, "tsconfig.json"),
    JSON.stringify({
      extends: join(root, "tsconfig.base.json"),
      compilerOptions: { noEmit: true, noUnusedLocals: false, noUnusedParameters: false },
      include: ["*.ts"],
      exclude: [],
    }),
  );
  expect(await compile(directory)).toBe("");
}, 120_000);

/** What the compiler has to say against a project. */
function compile(project: string): Promise<string> {
  return new Promise((resolve) => {
    const tsc = join(root, "node_modules/.bin/tsc");
    execFile(tsc, ["-p", project], { cwd: project }, (error, stdout, stderr) =>
      resolve(`${stdout}${stderr}${stdout === "" && error !== null ? error.message : ""}`),
    );
  });
}

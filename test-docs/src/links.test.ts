import { existsSync, globSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, it } from "vitest";
import { pages, root } from "./pages.ts";

const byPath = new Map(pages.map((page) => [page.path, page]));

it("every link in the pages leads to something that is there", () => {
  const broken: string[] = [];
  for (const { path, text } of pages)
    for (const [, target = ""] of withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [file = "", anchor] = target.split("#");
      const to = file === "" ? path : relative(root, join(root, dirname(path), file));
      if (!existsSync(join(root, to))) broken.push(`${path}: ${target}`);
      else if (anchor !== undefined && !anchors(to).has(anchor)) broken.push(`${path}: ${target}`);
    }
  expect(broken).toEqual([]);
});

it("every page of docs/ is linked from another page", () => {
  const linked = new Set(
    pages.flatMap(({ path, text }) =>
      [...text.matchAll(/\]\(([^)#\s]+)/g)]
        .map(([, target = ""]) => relative(root, join(root, dirname(path), target)))
        .filter((to) => to !== path),
    ),
  );
  const isListed = (path: string): boolean =>
    linked.has(path) || (statSync(join(root, path)).isFile() && linked.has(dirname(path)));
  const lost = pages.map(({ path }) => path).filter((path) => path.startsWith("docs/"));
  expect(lost.filter((path) => !isListed(path))).toEqual([]);
});

it("every file of the repository that a page names is there", () => {
  const missing = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/`((?:packages|plugins|examples|docs|scripts|test-[a-z0-9]+)\/[^`\s]+)`/g)]
      .map(([, name = ""]) => name)
      // A word in angle brackets stands for any.
      .map((name) => name.replaceAll(/<[^>]+>/g, "*"))
      .filter((name) => globSync(name.replace(/\/$/, ""), { cwd: root }).length === 0)
      .map((name) => `${path}: ${name}`),
  );
  expect(missing).toEqual([]);
});

/** The anchors that a page's headings get. */
function anchors(path: string): ReadonlySet<string> {
  const text = byPath.get(path)?.text ?? "";
  return new Set(
    [...text.matchAll(/^#+ +(.+)$/gm)].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

function withoutCode(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```$/gm, "").replaceAll(/`[^`\n]*`/g, "");
}

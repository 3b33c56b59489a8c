import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lazyBuiltins } from "../../build/lazy-builtins.ts";
import { lazyRequires } from "../../build/lazy-requires.ts";
import { compareIds } from "../../build/runtime/compare-ids.ts";

/** Runs CommonJS text; `loaded` says which modules it has asked for, and when. */
function run(source: string): {
  readonly exports: Record<string, unknown>;
  readonly loaded: string[];
} {
  const loaded: string[] = [];
  const module = { exports: {} as Record<string, unknown> };
  const modules: Record<string, unknown> = {
    "./a": {
      Thing: class {
        is = "thing";
      },
      twice: (n: number) => 2 * n,
      default: "a",
    },
    "node:os": { EOL: "\n" },
    "node:fs/promises": { constants: "slow", writeFile: "write" },
    "node:fs": {
      constants: "quick",
      readFileSync: (path: string) => {
        if (path === "missing") throw new Error("ENOENT");
        return `content of ${path}`;
      },
    },
  };
  const require = (specifier: string): unknown => {
    loaded.push(specifier);
    return modules[specifier];
  };
  const prelude = "const __importDefault = (m) => m; const __importStar = (m) => m;";
  // oxlint-disable-next-line typescript/no-implied-eval -- the text is what the bundler makes
  new Function("module", "exports", "require", `${prelude}\n${source}`)(
    module,
    module.exports,
    require,
  );
  return { exports: module.exports, loaded };
}

describe("what TypeScript made CommonJS", () => {
  it("loads a module when it is first used, once, and does the same with it", () => {
    const { exports, loaded } = run(
      lazyRequires(`"use strict";
const a_1 = require("./a");
const a_2 = __importDefault(require("./a"));
exports.Names = __importStar(require("./a"));
exports.use = () => [new a_1.Thing().is, (0, a_1.twice)(4), a_2.default, "a_1.x"];`),
    );
    expect(loaded).toEqual([]);
    expect((exports["use"] as () => unknown)()).toEqual(["thing", 8, "a", "a_1.x"]);
    expect(exports["Names"]).toHaveProperty("default", "a");
    expect(exports["Names"]).toBe(exports["Names"]);
    expect(loaded).toEqual(["./a", "./a", "./a"]);
  });

  it("is left alone where it loads a module in another way", () => {
    const source =
      'const { x } = require("./a");\n  const y = require("./a");\nlet z = require("./a");';
    expect(lazyRequires(source)).toBe(source);
  });
});

describe("what the bundler made of imports of Node's modules", () => {
  it("loads them when they are first used", () => {
    const source = `"use strict";var import_node_os=require("node:os"),import_promises=require("node:fs/promises");
module.exports.use=()=>[import_node_os.EOL,(0,import_promises.writeFile),import_promises.constants];
module.exports.read=(path)=>(0,import_promises.readFile)(path,"utf8");`;
    const { exports, loaded } = run(lazyBuiltins(source));
    expect(loaded).toEqual([]);
    // The constants are the same object in a module that is there from the start.
    expect((exports["use"] as () => unknown)()).toEqual(["\n", "write", "quick"]);
    expect(loaded).toEqual(["node:os", "node:fs/promises", "node:fs"]);
  });

  it("reads files without the module that would take longer to load, with the same outcome", async () => {
    const { exports, loaded } = run(
      lazyBuiltins(`"use strict";var import_promises=require("node:fs/promises");
module.exports.read=(path)=>(0,import_promises.readFile)(path,"utf8");`),
    );
    const read = exports["read"] as (path: unknown) => Promise<string>;
    expect(await read("there")).toBe("content of there");
    await expect(read("missing")).rejects.toThrow("ENOENT");
    expect(await read({ fd: 3, readFile: async () => "content of an open file" })).toBe(
      "content of an open file",
    );
    expect(loaded).not.toContain("node:fs/promises");
  });
});

it("command ids are in the order that oclif has them in", () => {
  const id = fc.oneof(fc.stringMatching(/^[a-z][a-z\d:_-]{0,12}$/), fc.string());
  fc.assert(
    fc.property(id, id, (a, b) => {
      expect(Math.sign(compareIds(a, b))).toBe(Math.sign(a.localeCompare(b)));
    }),
    { numRuns: 5000 },
  );
});

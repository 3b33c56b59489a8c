import { cpSync, existsSync, globSync, mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nodes } from "./nodes.ts";
import { npm } from "./npm.ts";
import { type Manifest, pack, type PackedPackage, publicPackages } from "./packages.ts";
import { quickStart } from "./quick-start.ts";
import { type Registry, serveRegistry } from "./registry.ts";
import { run } from "./run.ts";

const root = join(import.meta.dirname, "../..");
const minutes = 60_000;

let dir: string;
let registry: Registry;
let packed: ReadonlyMap<string, PackedPackage>;
/** A project in which all packages are installed. */
let everything: string;

beforeAll(async () => {
  // Outside of the checkout: nothing of the workspace's is found from there.
  dir = await mkdtemp(join(tmpdir(), "silk-packed-"));
  mkdirSync(join(dir, "tarballs"));
  const all: PackedPackage[] = [];
  for (const one of publicPackages) all.push(await pack(one, join(dir, "tarballs")));
  packed = new Map(all.map((one) => [one.name, one]));
  registry = await serveRegistry(all);
  everything = await install("everything", [...packed.keys(), "@types/node@24"]);
}, 5 * minutes);

afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

/** An empty project, with these packages installed by npm. */
async function install(name: string, packages: readonly string[]): Promise<string> {
  const project = join(dir, name);
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await npm(["install", ...packages, registry.npmFlag], project);
  return project;
}

it("all packages are built before they are packed", async () => {
  // What is built first is what package.json names.
  const own = await readFile(join(root, "test-packed/package.json"), "utf8");
  const { devDependencies } = JSON.parse(own) as Manifest;
  const named = Object.keys(devDependencies ?? {});
  expect(publicPackages.map(({ name }) => name).filter((name) => !named.includes(name))).toEqual(
    [],
  );
});

describe.each(publicPackages)("$name, packed", ({ name, entryPoints }) => {
  it("holds what was built, its README and the licence, and neither sources nor tests", () => {
    const { files } = packed.get(name)!;
    expect(files).toEqual(expect.arrayContaining(["package.json", "README.md", "LICENSE"]));
    // A template is a package of somebody else's: its sources and tests are what it is for.
    const own = files.filter((path) => !path.startsWith("templates/"));
    expect(own.filter((path) => /\.test\.|(?<!\.d)\.ts$|^(?:src|test)\//.test(path))).toEqual([]);
  });

  it("names nothing that only the workspace knows", () => {
    const { dependencies, exports } = packed.get(name)!.manifest;
    expect(JSON.stringify({ dependencies, exports })).not.toMatch(
      /workspace:|catalog:|source"|src/,
    );
  });

  it(
    "can be imported where nothing but itself was asked for",
    async () => {
      const project = await install(name.replace("/", "-"), [name]);
      for (const entryPoint of entryPoints) {
        // The program's entry point runs it; that it is found is enough.
        const load = name === "@silkvm/cli" ? "import.meta.resolve" : "await import";
        await run(process.execPath, ["--eval", `${load}(${JSON.stringify(entryPoint)})`], {
          cwd: project,
        });
      }
    },
    2 * minutes,
  );
});

it.each([
  ["@silkvm/ch-client", "undici"],
  ["@silkvm/core", "valibot"],
])(
  "%s brings nothing along but %s",
  async (name, library) => {
    const project = await install(`only-${name.slice("@silkvm/".length)}`, [name]);
    const installed = globSync(["node_modules/*", "node_modules/@*/*"], { cwd: project });
    expect(installed.filter((path) => !path.endsWith("@silkvm")).sort()).toEqual([
      `node_modules/${name}`,
      `node_modules/${library}`,
    ]);
  },
  2 * minutes,
);

describe("a program in TypeScript", () => {
  it.each([
    { module: "nodenext", moduleResolution: "nodenext" },
    { module: "esnext", moduleResolution: "bundler" },
  ])(
    "compiles with every entry point, $moduleResolution, strict, declarations checked",
    async (options) => {
      const project = join(everything, options.moduleResolution);
      mkdirSync(project);
      const imports = publicPackages.flatMap(({ entryPoints }) => entryPoints);
      writeFileSync(
        join(project, "all.ts"),
        imports.map((name, i) => `import * as all${i} from "${name}";\nvoid all${i};\n`).join(""),
      );
      cpSync(join(root, "test-packed/fixtures/consumer.ts"), join(project, "consumer.ts"));
      writeFileSync(
        join(project, "tsconfig.json"),
        JSON.stringify({
          compilerOptions: {
            ...options,
            target: "es2024",
            lib: ["es2024", "esnext.disposable"],
            types: ["node"],
            strict: true,
            exactOptionalPropertyTypes: true,
            skipLibCheck: false,
            noEmit: true,
          },
        }),
      );
      const tsc = join(root, "node_modules/.bin/tsc");
      expect(await run(tsc, ["-p", project], { cwd: project })).toBe("");
    },
    2 * minutes,
  );
});

describe.each(nodes)("on $name", ({ path }) => {
  it(
    "a program in plain JavaScript takes a VM from create to delete",
    async () => {
      const program = join(everything, "consumer.js");
      cpSync(join(root, "test-packed/fixtures/consumer.js"), program);
      const answer = await run(await path(), [program], { cwd: everything });
      expect(JSON.parse(answer)).toEqual({ code: "VM_NOT_FOUND", left: [] });
    },
    3 * minutes,
  );

  describe("the installed program", () => {
    const silkDirectories = {
      HOME: "home",
      SILK_ROOT_DIR: "silk/root",
      SILK_RUN_DIR: "silk/run",
      SILK_LOG_DIR: "silk/log",
    };
    let cwd: string;
    let env: Record<string, string>;
    beforeAll(async () => {
      cwd = await mkdtemp(join(dir, "cwd-"));
      const bin = await installedPrograms();
      env = { PATH: `${bin}:${dirname(await path())}:${process.env["PATH"]}` };
      for (const [name, place] of Object.entries(silkDirectories)) env[name] = join(cwd, place);
    }, 3 * minutes);

    it("helps, tells its version, and lists", async () => {
      const silk = (...args: string[]): Promise<string> => run("silk", args, { cwd, env });
      expect(await silk("--help")).toContain("create, run and look after VMs");
      expect(await silk("version")).toContain(packed.get("@silkvm/cli")!.manifest.version);
      expect(await silk("vm", "list", "--json")).toBe("[]\n");
    }, 60_000);

    it("does what the quick start says, and nothing is left", async () => {
      const said = await run("bash", ["-euo", "pipefail", "-c", quickStart()], { cwd, env });
      expect(said).toContain("hello from the guest");
      expect(said).toMatch(/job-3 +running/);
      expect(await run("silk", ["vm", "list", "--json"], { cwd, env })).toBe("[]\n");
      expect(await run("silk", ["snapshot", "list", "--json"], { cwd, env })).toBe("[]\n");
    }, 120_000);
  });
});

/** Installs the programs as a user does, once. @returns the directory that goes on PATH */
async function installedPrograms(): Promise<string> {
  const prefix = join(dir, "global");
  const names = ["@silkvm/cli", "@silkvm/ch-sim"];
  if (!existsSync(prefix))
    await npm(["install", "--global", "--prefix", prefix, ...names, registry.npmFlag], dir);
  return join(prefix, "bin");
}

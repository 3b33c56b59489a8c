/** One place in a dependency's file that is written anew. */
interface Patch {
  /** Path inside of the package. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly why: string;
}

/** What is changed in @oclif/core on its way into the bundle. It changes when things are done, never what is done. */
export const oclifPatches: readonly Patch[] = [
  {
    file: "lib/index.js",
    from: "checkCWD();\ncheckNodeVersion();\n",
    to: "checkCWD();\n",
    why: "the launcher has checked it, without semver",
  },
  {
    file: "lib/config/plugin.js",
    from: ".sort((a, b) => a.id.localeCompare(b.id));",
    to: '.sort((a, b) => require("silk:compare-ids").compareIds(a.id, b.id));',
    why: "the first localeCompare takes ten milliseconds",
  },
  {
    file: "lib/util/fs.js",
    from: "const contents = await (0, promises_1.readFile)(path, 'utf8');",
    to: "const contents = (0, node_fs_1.readFileSync)(path, 'utf8');",
    why: "node:fs/promises takes two milliseconds to load",
  },
  {
    file: "lib/config/plugin-loader.js",
    from: "(0, minimatch_1.minimatch)(p, w)",
    to: String.raw`(/^@?[\w./-]+$/.test(w) ? p === w : (0, minimatch_1.minimatch)(p, w))`,
    why: "a name needs no parser of patterns",
  },
  {
    file: "lib/help/util.js",
    from: "return ejs_1.default.render(t, context);",
    to: 'return typeof t === "string" && !t.includes("%") ? t : ejs_1.default.render(t, context);',
    why: "a text without a tag is its own template, and most are",
  },
];

/** A module that somebody gets in the place of the one that he asks for. */
interface Replacement {
  readonly specifier: string;
  /** In `runtime`. */
  readonly by: string;
  /** The replaced module is itself a function: what is exported by default takes its place. */
  readonly isFunction?: true;
}

/** What files of @oclif/core get. */
export const oclifReplacements: readonly (Replacement & { readonly file: string })[] = [
  { file: "lib/config/plugin-loader.js", specifier: "./plugin", by: "plugin.ts" },
  { file: "lib/config/plugin.js", specifier: "silk:compare-ids", by: "compare-ids.ts" },
  { file: "lib/config/config.js", specifier: "../module-loader", by: "module-loader.ts" },
  { file: "lib/help/index.js", specifier: "../module-loader", by: "module-loader.ts" },
  {
    file: "lib/help/formatter.js",
    specifier: "string-width",
    by: "string-width.ts",
    isFunction: true,
  },
  { file: "lib/help/formatter.js", specifier: "wrap-ansi", by: "wrap-ansi.ts", isFunction: true },
  { file: "lib/util/os.js", specifier: "wsl-utils", by: "wsl-utils.ts" },
  { file: "lib/logger.js", specifier: "debug", by: "debug.ts", isFunction: true },
  { file: "lib/ux/index.js", specifier: "./write", by: "ux-write.ts" },
  { file: "lib/errors/warn.js", specifier: "../ux/write", by: "ux-write.ts" },
  { file: "lib/errors/error.js", specifier: "../ux/write", by: "ux-write.ts" },
];

/** What its dependencies get, by the beginning of their paths in `node_modules`. */
export const dependencyReplacements: readonly (Replacement & { readonly importer: string })[] = [
  { importer: "supports-color/", specifier: "tty", by: "tty.ts" },
  { importer: "wrap-ansi/", specifier: "string-width", by: "string-width.ts", isFunction: true },
  { importer: "widest-line/", specifier: "string-width", by: "string-width.ts", isFunction: true },
];

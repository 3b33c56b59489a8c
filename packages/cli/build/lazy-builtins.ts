/** `import_node_fs=require("node:fs")`: how esbuild writes the import of one of Node's own modules into CommonJS. */
const assignment = /\b(import_[\w$]+) ?= ?require\("(node:[\w/]+)"\)/g;

/**
 * Rewrites esbuild's output so that Node's own modules are loaded when they are first used. Some take milliseconds (`node:crypto`,
 * `node:fs/promises`, `node:child_process`), and most commands use none of them.
 */
export function lazyBuiltins(output: string): string {
  const modules = new Map<string, string>();
  const emptied = output.replace(assignment, (_text, name: string, specifier: string) => {
    modules.set(name, specifier);
    return `${name}=0`;
  });
  if (modules.size === 0) return output;
  const used = emptied.replaceAll(
    /\b(import_[\w$]+)\.(\w+)/g,
    (text, name: string, member: string) => {
      const specifier = modules.get(name);
      if (specifier === undefined) return text;
      if (specifier === "node:fs/promises" && member === "readFile") return "$readFile.now";
      // The same object, of a module that is there already.
      const from =
        specifier === "node:fs/promises" && member === "constants" ? "node:fs" : specifier;
      // The parentheses are for `new x.Y()`, which would otherwise construct the result of the getter.
      return `(${getter(from)}()).${member}`;
    },
  );
  const specifiers = new Set([...modules.values(), "node:fs"]);
  const getters = [...specifiers].map(
    (specifier) =>
      `var ${getter(specifier)}v;function ${getter(specifier)}(){return ${getter(specifier)}v??=require("${specifier}")}`,
  );
  return used.replace('"use strict";', () => `"use strict";${getters.join("")}${readFile}`);
}

/**
 * `readFile` for a module that needs nothing else of `node:fs/promises`, which takes longer to load than a short file to read. An open
 * file, which has methods of its own, is left to the module that it is from.
 */
const readFile = `var $readFile={now:async(path,options)=>typeof path==="object"&&"fd" in path?path.readFile(options):require("node:fs").readFileSync(path,options)};`;

function getter(specifier: string): string {
  return `$${specifier.replaceAll(/\W/g, "_")}`;
}

/** `const x_1 = require("y");` at the beginning of a line, as TypeScript writes an import into CommonJS. */
const requireLine =
  /^(?:const|var) (\w+) = ((?:__importDefault|__importStar)\()?require\("([^"]+)"\)(\))?;[^\S\n]*$/gm;

/** `exports.Flags = __importStar(require("./flags"));`: a namespace that is passed on. */
const passedOn = /^exports\.(\w+) = (__importStar\(require\("[^"]+"\)\));[^\S\n]*$/gm;

/**
 * Rewrites what TypeScript emitted as CommonJS so that each module is loaded when it is first used, not when its importer is loaded.
 * What is loaded, and what it does, stays the same; only when changes.
 */
export function lazyRequires(source: string): string {
  const names: string[] = [];
  const declared = source.replace(
    requireLine,
    (
      line,
      name: string,
      wrapper: string | undefined,
      specifier: string,
      close: string | undefined,
    ) => {
      if ((wrapper === undefined) !== (close === undefined)) return line;
      names.push(name);
      const load = `${wrapper ?? ""}require("${specifier}")${close ?? ""}`;
      return `let ${name}$loaded; const ${name}$ = () => (${name}$loaded ??= ${load});`;
    },
  );
  const used = names.reduce(
    // The parentheses are for `new x_1.Y()`, which would otherwise construct the result of `x_1$`.
    (text, name) =>
      text.replaceAll(new RegExp(String.raw`(?<![\w$.'"])${name}(?![\w$'"])`, "g"), `(${name}$())`),
    declared,
  );
  return used.replace(
    passedOn,
    (_line, name: string, load: string) =>
      `let ${name}$loaded; Object.defineProperty(exports, "${name}", { enumerable: true, get: () => (${name}$loaded ??= ${load}) });`,
  );
}

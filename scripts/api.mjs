// Writes what each package exports, as text, to its `etc`: a change of the API shows in a diff. With --check it only tells what is not current.
// It goes by what is built.
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import {
  CompilerState,
  Extractor,
  ExtractorConfig,
  ExtractorLogLevel,
} from "@microsoft/api-extractor";

const root = fileURLToPath(new URL("..", import.meta.url));
const check = process.argv.includes("--check");
const scratch = mkdtempSync(join(tmpdir(), "silk-api-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));

const entryPoints = globSync(["packages/*/package.json", "plugins/*/package.json"], { cwd: root })
  .sort()
  .flatMap(entryPointsOf);
for (const { types } of entryPoints)
  if (!existsSync(types)) fail([`${relative(root, types)} is not there: run \`pnpm build\` first`]);

const compiler = {
  overrideTsconfig: {
    compilerOptions: {
      target: "es2024",
      lib: ["es2024", "esnext.disposable", "esnext.collection", "esnext.array"],
      types: ["node"],
      module: "nodenext",
      moduleResolution: "nodenext",
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: true,
      allowImportingTsExtensions: true,
      noEmit: true,
    },
    files: entryPoints.map(({ types }) => types),
  },
};

const configs = entryPoints.map(configFor);
// All are read once, and then looked at one by one.
const compilerState = CompilerState.create(configs[0], {
  additionalEntryPoints: entryPoints.map(({ types }) => types),
});
const problems = [];
for (const [i, { report }] of entryPoints.entries()) {
  mkdirSync(dirname(report), { recursive: true });
  const before = existsSync(report) ? readFileSync(report, "utf8") : undefined;
  const { apiReportChanged } = Extractor.invoke(configs[i], {
    compilerState,
    localBuild: !check,
    messageCallback: (message) => {
      message.handled = true;
      if (message.logLevel === ExtractorLogLevel.Error)
        problems.push(message.formatMessageWithLocation(root));
    },
  });
  const name = relative(root, report);
  if (check && apiReportChanged) problems.push(`${name} is not current`);
  if (!check && before !== readFileSync(report, "utf8")) console.log(`${name} is another one`);
  const made = join(scratch, basename(report));
  for (const undocumented of undocumentedIn(readFileSync(existsSync(made) ? made : report, "utf8")))
    problems.push(`${name}: a public name has no doc comment: ${undocumented}`);
}
const known = new Set(entryPoints.map(({ report }) => report));
for (const path of globSync("{packages,plugins}/*/etc/*.api.md", { cwd: root })) {
  if (known.has(join(root, path))) continue;
  if (check) problems.push(`${path} is of an entry point that is no longer there`);
  else rmSync(join(root, path));
}
if (problems.length > 0) fail(problems);

function entryPointsOf(path) {
  const directory = join(root, dirname(path));
  const manifest = JSON.parse(readFileSync(join(root, path), "utf8"));
  if (manifest.private === true) return [];
  const exports = manifest.publishConfig.exports ?? manifest.exports;
  return Object.entries(exports)
    .filter(([, target]) => typeof target !== "string")
    .map(([key, target]) => {
      const name = [basename(directory), ...key.split("/").slice(1)].join(".");
      return {
        manifestPath: join(root, path),
        directory,
        types: join(directory, target.types),
        report: join(directory, "etc", `${name}.api.md`),
      };
    });
}

function configFor({ manifestPath, directory, types, report }) {
  return ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: manifestPath,
    configObject: {
      projectFolder: directory,
      mainEntryPointFilePath: types,
      newlineKind: "lf",
      compiler,
      apiReport: {
        enabled: true,
        includeForgottenExports: true,
        reportFileName: basename(report),
        reportFolder: dirname(report),
        reportTempFolder: scratch,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
        // Which types belong to the API, and whether links lead somewhere, is seen by typedoc.
        extractorMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
  });
}

/** The first lines of what is exported by name and has no doc comment. */
function undocumentedIn(report) {
  return [...report.matchAll(/^\/\/ @public \(undocumented\)\n(export .*)$/gm)].map(
    ([, line]) => line,
  );
}

function fail(reasons) {
  for (const reason of reasons) console.error(reason);
  console.error(
    "\nThe reports in etc/ say what each package exports. `pnpm api` brings them up to date: look at their diff, and commit it with the change.",
  );
  process.exit(1);
}

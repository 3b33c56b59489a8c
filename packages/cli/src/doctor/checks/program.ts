import type { CheckContext } from "../context.ts";
import { installCommand, packageName, type PackageName } from "../distribution.ts";
import type { Check, Outcome, Status } from "../finding.ts";

/** A program that silk runs. */
interface Program {
  readonly id: string;
  readonly title: string;
  readonly group: "Programs" | "Network";
  /** As it is looked for on the PATH. */
  readonly command: string;
  /** Where else silk looks. */
  readonly places?: readonly string[] | undefined;
  /** The one that the settings name; undefined where they leave it to silk. */
  readonly named?: ((context: CheckContext) => string | undefined) | undefined;
  /** Its package, which may depend on the distribution. */
  readonly package: (context: CheckContext) => PackageName;
  /** Arguments that make it tell its version. */
  readonly versionArgs: readonly string[];
  /** Its version in what it then prints. What it prints without a version is not the program that is meant. */
  readonly version: RegExp;
  /** The oldest version that will do, and what else does where the distribution has none. */
  readonly minimum?:
    | {
        readonly version: string;
        readonly otherwise: string;
        /** Whether an older one does, too, for what `meanwhile` says. */
        readonly isEnough: (context: CheckContext) => boolean;
        readonly meanwhile: string;
      }
    | undefined;
  /** What it is where it is missing. */
  readonly missing: Extract<Status, "warning" | "failed">;
  readonly why: string;
}

/** Whether a program is there and new enough. */
export function programCheck(program: Program): Check {
  const { id, title, group, missing: atWorst } = program;
  return { id, title, group, atWorst, run: (context) => checkProgram(program, context) };
}

async function checkProgram(program: Program, context: CheckContext): Promise<Outcome> {
  const { why, missing: status, minimum } = program;
  const path = await findProgram(program, context);
  const { distribution, host, signal } = context;
  const name = program.package(context);
  const command = installCommand(distribution, name, host.facts.uid);
  const install = {
    ...(command === undefined ? {} : { command }),
    description: `Install the package ${packageName(distribution.manager, name)}.`,
    automatic: false,
  };
  if (path === undefined) return missing(program, context, { status, why, fix: install });
  const { stdout, stderr } = await host.processes.run({
    command: path,
    args: program.versionArgs,
    signal,
  });
  const version = program.version.exec(`${stdout}\n${stderr}`)?.[1];
  if (version === undefined) {
    const said = (stderr.trim() || stdout.trim()).split("\n", 1)[0] ?? "";
    const evidence = `${path} does not tell its version${said === "" ? "" : `: ${said}`}`;
    return { status, evidence, why, fix: install };
  }
  const evidence = `${version} at ${path}`;
  if (minimum === undefined || compareVersions(version, minimum.version) >= 0)
    return { status: "ok", evidence };
  if (minimum.isEnough(context))
    return {
      status: "ok",
      evidence: `${evidence}, older than ${minimum.version}: ${minimum.meanwhile}`,
    };
  return {
    status,
    evidence: `${evidence} is older than ${minimum.version}`,
    why,
    fix: { description: minimum.otherwise, automatic: false },
  };
}

function missing(
  { id, command, named }: Program,
  context: CheckContext,
  outcome: Omit<Outcome, "evidence">,
): Outcome {
  const wanted = named?.(context);
  if (wanted === undefined) return { ...outcome, evidence: `${command} is not installed` };
  const description = `Name one that is there (silk config set ${id} PATH), or let silk look for it: silk config unset ${id}`;
  return {
    ...outcome,
    evidence: `${wanted}, which the setting ${id} names, is not there, or not executable`,
    fix: { description, automatic: false },
  };
}

async function findProgram(
  { command, places = [], named }: Program,
  context: CheckContext,
): Promise<string | undefined> {
  const wanted = named?.(context);
  for (const candidate of wanted === undefined ? [command, ...places] : [wanted]) {
    const path = await context.host.processes.which(candidate);
    if (path !== undefined) return path;
  }
  return undefined;
}

/** Compares dotted numbers; what follows them is left out of account. Negative where `a` is the older one. */
export function compareVersions(a: string, b: string): number {
  const parse = (text: string): number[] =>
    (/^\d+(?:\.\d+)*/.exec(text)?.[0] ?? "0").split(".").map(Number);
  const [left, right] = [parse(a), parse(b)];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

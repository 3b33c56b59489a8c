import { stripVTControlCharacters } from "node:util";
import { didYouMean } from "./suggest.ts";

/** An error of oclif in our words. */
export interface OclifFailure {
  readonly usage: boolean;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly code?: string | undefined;
  readonly exitCode: number;
}

/** The shape of what oclif throws: told by its fields, since a plugin may bring its own copy of oclif. */
interface OclifError extends Error {
  readonly oclif: { readonly exit?: number };
  readonly code?: string;
  readonly suggestions?: readonly string[];
  readonly flags?: readonly string[];
  readonly args?: readonly (string | { readonly name: string })[];
  readonly parse?: {
    readonly input?: {
      readonly flags?: Readonly<Record<string, { readonly aliases?: readonly string[] }>>;
    };
  };
}

/** Undefined for what oclif did not throw. */
export async function readOclifError(thrown: unknown): Promise<OclifFailure | undefined> {
  if (!isOclifError(thrown)) return undefined;
  const message = clean(thrown.message);
  const usage = (text: string, hint?: string): OclifFailure => ({
    usage: true,
    message: text,
    hint,
    exitCode: 2,
  });
  const { flags, args, parse } = thrown;
  if (parse !== undefined) {
    if (flags !== undefined) return usage(...unknownFlag(flags, parse.input?.flags ?? {}));
    if (args !== undefined) return usage(describeArgs(args));
    return usage(message);
  }
  if (/^(Flag --|Parsing --|The following error)/.test(thrown.message)) return usage(message);
  const missing = /^command (\S+) not found\.?$/i.exec(message)?.[1];
  if (missing !== undefined) return usage(`there is no command "${missing.replaceAll(":", " ")}"`);
  return {
    usage: false,
    message,
    hint: thrown.suggestions?.join(" "),
    code: thrown.code,
    exitCode: thrown.oclif.exit ?? 1,
  };
}

function isOclifError(thrown: unknown): thrown is OclifError {
  return thrown instanceof Error && typeof (thrown as Partial<OclifError>).oclif === "object";
}

/** oclif's words without its colours, its pointer to the help and its list formatting. */
function clean(message: string): string {
  const text = stripVTControlCharacters(message)
    .replace(/^Parsing (--\S+) \n\t/, "$1: ")
    .replace(/^The following errors? occurred:\s*/, "")
    .replace(/\nSee more help with --help$/, "")
    .trim();
  return text.replaceAll(/\s*\n\s*/g, "; ");
}

function unknownFlag(
  typed: readonly string[],
  known: Readonly<Record<string, { readonly aliases?: readonly string[] }>>,
): [message: string, hint: string | undefined] {
  const [first = ""] = typed;
  const name = (first.split("=")[0] as string).replace(/^-+/, "");
  const names = Object.entries(known).flatMap(([flag, { aliases }]) => [flag, ...(aliases ?? [])]);
  const listed = typed.map((flag) => flag.split("=")[0]).join(", ");
  return [
    `there is no flag ${listed}`,
    didYouMean(name, [...names, "help"], (word) => `--${word}`)?.trim(),
  ];
}

function describeArgs(args: readonly (string | { readonly name: string })[]): string {
  const unexpected = args.filter((arg) => typeof arg === "string");
  if (unexpected.length > 0)
    return `unexpected argument ${unexpected.map((arg) => JSON.stringify(arg)).join(", ")}`;
  const missing = args.flatMap((arg) => (typeof arg === "string" ? [] : arg.name.toUpperCase()));
  return `the argument ${missing.join(", ")} is missing`;
}

import { stripVTControlCharacters } from "node:util";
import type { SilkErrorJson } from "@silkvm/core";
import { type CliError, usageError } from "../cli-error.ts";
import { didYouMean } from "./suggest.ts";

/** What a plugin's command has thrown on purpose: it chooses its exit code itself. */
export interface PluginFailure {
  readonly exitCode: number;
  readonly error: SilkErrorJson;
}

interface OclifFlag {
  readonly aliases?: readonly string[];
}

/** The shape of what oclif throws: told by its fields, since a plugin may bring its own copy of oclif. */
interface OclifError extends Error {
  readonly oclif: { readonly exit?: number };
  readonly code?: string;
  readonly suggestions?: readonly string[];
  readonly flags?: readonly string[];
  readonly args?: readonly (string | { readonly name: string })[];
  readonly parse?: { readonly input?: { readonly flags?: Readonly<Record<string, OclifFlag>> } };
}

/** An error of oclif in our words: a usage error, or a plugin's own. Undefined for what oclif did not throw. */
export function readOclifError(thrown: unknown): CliError | PluginFailure | undefined {
  if (!isOclifError(thrown)) return undefined;
  const message = clean(thrown.message);
  const { flags, args, parse } = thrown;
  if (parse !== undefined) {
    if (flags !== undefined) return unknownFlag(flags, parse.input?.flags ?? {});
    return usageError(args === undefined ? message : describeArgs(args));
  }
  if (/^(Flag --|Parsing --)/.test(thrown.message)) return usageError(message);
  const hint = thrown.suggestions?.join(" ");
  const error: SilkErrorJson = {
    code: thrown.code ?? "FAILED",
    kind: "failed",
    message,
    retryable: false,
    ...(hint === undefined ? {} : { hint }),
  };
  return { exitCode: thrown.oclif.exit ?? 1, error };
}

function isOclifError(thrown: unknown): thrown is OclifError {
  return thrown instanceof Error && typeof (thrown as Partial<OclifError>).oclif === "object";
}

/** What oclif says of a command line, and how the rest of silk says it. */
const wordings: readonly (readonly [theirs: RegExp, ours: string])[] = [
  [/^Flag (--\S+) expects a value$/, "$1 needs a value"],
  [/^Flag (--\S+) expects one of these values: (.*)$/, "$1 needs a value: $2"],
  [/^Flag (--\S+) can only be specified once$/, "$1 is given twice"],
  [/^Expected (--[^=\s]+)=(.*) to be one of: (.*)$/s, '$1: "$2" is none of $3'],
  [/^Expected (.*) to be one of: (.*)$/s, '"$1" is none of $2'],
];

/** oclif's words without its colours, its pointer to the help and its list formatting. */
function clean(message: string): string {
  const text = stripVTControlCharacters(message)
    .replace(/^Parsing (--\S+) \n\t/, "$1: ")
    .replace(/^The following errors? occurred:\s*/, "")
    .replace(/\nSee more help with --help$/, "")
    .trim();
  const wording = wordings.find(([theirs]) => theirs.test(text));
  return (wording === undefined ? text : text.replace(...wording)).replaceAll(/\s*\n\s*/g, "; ");
}

function unknownFlag(
  typed: readonly string[],
  known: Readonly<Record<string, OclifFlag>>,
): CliError {
  const words = typed.map((flag) => flag.split("=")[0] as string);
  const names = Object.entries(known).flatMap(([flag, { aliases }]) => [flag, ...(aliases ?? [])]);
  const name = (words[0] ?? "").replace(/^-+/, "");
  const hint = didYouMean(name, [...names, "help"], (word) => `--${word}`)?.trim();
  return usageError(`there is no flag ${words.join(", ")}`, hint);
}

function describeArgs(args: readonly (string | { readonly name: string })[]): string {
  const unexpected = args.filter((arg) => typeof arg === "string");
  if (unexpected.length > 0)
    return `unexpected argument ${unexpected.map((arg) => JSON.stringify(arg)).join(", ")}`;
  const missing = args.flatMap((arg) => (typeof arg === "string" ? [] : arg.name.toUpperCase()));
  return missing.length === 1
    ? `the argument ${missing[0]} is missing`
    : `the arguments ${missing.join(" and ")} are missing`;
}

/** One flag of a command, as data. */
export type FlagSpec = {
  readonly description: string;
  readonly char?: "a" | "f" | "q" | undefined;
} & (
  | { readonly type: "boolean" }
  | { readonly type: "enum"; readonly options: readonly string[] }
  | { readonly type: "option"; readonly helpValue: string; readonly multiple: boolean }
);

/**
 * A command as data: what its oclif class is built from, and what a launcher that answers the command without oclif goes by.
 * The global flags come on top.
 */
export interface CommandSpec {
  /** Words after `silk`. */
  readonly name: readonly string[];
  readonly aliases: readonly (readonly string[])[];
  readonly summary: string;
  readonly description?: string | undefined;
  readonly examples: readonly { readonly description: string; readonly command: string }[];
  readonly flags: Readonly<Record<string, FlagSpec>>;
}

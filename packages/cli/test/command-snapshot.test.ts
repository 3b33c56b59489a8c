import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";

interface Manifest {
  readonly commands: Readonly<
    Record<
      string,
      {
        readonly aliases: readonly string[];
        readonly hidden?: boolean;
        readonly args: Readonly<
          Record<string, { readonly required?: boolean; readonly multiple?: boolean }>
        >;
        readonly flags: Readonly<
          Record<
            string,
            {
              readonly type: string;
              readonly char?: string;
              readonly aliases?: readonly string[];
              readonly multiple?: boolean;
            }
          >
        >;
        readonly summary?: string;
        readonly examples?: readonly unknown[];
      }
    >
  >;
}

const manifestPath = join(import.meta.dirname, "../oclif.manifest.json");
const { commands } = JSON.parse(await readFile(manifestPath, "utf8")) as Manifest;

it("the commands and flags are those that were promised: a change must be meant", async () => {
  const surface = Object.entries(commands).map(([id, { aliases, args, flags }]) => ({
    command: id.replaceAll(":", " "),
    aliases: aliases.map((alias) => alias.replaceAll(":", " ")),
    args: Object.entries(args).map(
      ([name, { required, multiple }]) =>
        `${name}${multiple === true ? "..." : ""}${required === true ? "" : "?"}`,
    ),
    flags: Object.entries(flags)
      .map(([name, flag]) =>
        [
          `--${name}`,
          ...(flag.char === undefined ? [] : [`-${flag.char}`]),
          ...(flag.aliases ?? []).map((alias) => `--${alias}`),
          ...(flag.type === "boolean" ? [] : [flag.multiple === true ? "VALUE..." : "VALUE"]),
        ].join(" "),
      )
      .sort(),
  }));
  await expect(`${JSON.stringify(surface, undefined, 2)}\n`).toMatchFileSnapshot(
    "../command-snapshot.json",
  );
});

it.each(Object.entries(commands).filter(([, { hidden }]) => hidden !== true))(
  "%s says what it does, in lower case, and gives an example",
  (_id, command) => {
    expect(command.summary).toMatch(/^[a-z]/);
    expect(command.examples?.length).toBeGreaterThan(0);
  },
);

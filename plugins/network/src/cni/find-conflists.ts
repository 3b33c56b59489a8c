import { join } from "node:path";
import { type Host, SilkError, toSilkError } from "@silkvm/core";
import { type Conflist, parseConflist } from "./conflist.ts";

/** A file of a network, which is either whole or has a problem. */
export type FoundConflist = { readonly path: string } & (
  | { readonly conflist: Conflist; readonly problem?: undefined }
  | { readonly conflist?: undefined; readonly problem: string }
);

/** The files of networks, by directory and name. Of two with one network name the first counts. */
export async function findConflists(
  host: Host,
  directories: readonly string[],
): Promise<readonly FoundConflist[]> {
  const found: FoundConflist[] = [];
  for (const directory of directories)
    for (const file of await list(host, directory)) {
      if (!/\.(conflist|conf|json)$/.test(file)) continue;
      const path = join(directory, file);
      const next = await read(host, path);
      const name = next.conflist?.name;
      const first = found.find(({ conflist }) => name !== undefined && conflist?.name === name);
      found.push(
        first === undefined
          ? next
          : { path, problem: `${first.path} has the name ${name} already` },
      );
    }
  return found;
}

/**
 * The network of a name; without a name the only one that there is.
 * @throws SilkError `NETWORK_NOT_FOUND`, `INVALID_CONFLIST`, `INVALID_SPEC`
 */
export async function findConflist(
  host: Host,
  directories: readonly string[],
  name: string | undefined,
): Promise<Conflist> {
  const found = await findConflists(host, directories);
  const whole = found.flatMap(({ conflist }) => conflist ?? []);
  const known = whole.map((conflist) => conflist.name);
  const wanted = name === undefined ? whole[0] : whole.find((conflist) => conflist.name === name);
  if (wanted !== undefined && (name !== undefined || whole.length === 1)) return wanted;
  if (wanted !== undefined)
    throw new SilkError("no network is named, and there are several", {
      code: "INVALID_SPEC",
      kind: "invalid",
      hint: `Name one of ${known.join(", ")}: --network ${wanted.name}`,
      details: { known },
    });
  const problems = found.flatMap(({ problem }) => problem ?? []);
  throw new SilkError(
    name === undefined
      ? `there is no CNI network in ${directories.join(", ")}`
      : `there is no CNI network ${JSON.stringify(name)} in ${directories.join(", ")}`,
    {
      code: "NETWORK_NOT_FOUND",
      kind: "not-found",
      hint:
        problems.length > 0
          ? `A file there cannot be used: ${problems.join("; ")}`
          : known.length > 0
            ? `There are ${known.join(", ")}.`
            : "Put a network's .conflist there, or name another directory in NETCONFPATH.",
      details: { known, directories, problems },
    },
  );
}

async function list(host: Host, directory: string): Promise<readonly string[]> {
  try {
    return await host.files.list(directory);
  } catch (error) {
    throw toSilkError(error, `cannot read the CNI directory ${directory}`);
  }
}

async function read(host: Host, path: string): Promise<FoundConflist> {
  try {
    return { path, conflist: parseConflist(await host.files.readText(path), path) };
  } catch (error) {
    return { path, problem: toSilkError(error, `cannot read ${path}`).message };
  }
}

import { usageError } from "../cli-error.ts";

/** A line of `authorized_keys` without options: type, key, and perhaps a comment. */
const publicKey =
  /^(?:ssh-|ecdsa-sha2-|sk-ssh-|sk-ecdsa-)[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,3}(?:[ \t].*)?$/;

/**
 * Reads what `--ssh-key` names: a public key itself, or a file of such, one a line.
 * @throws CliError of kind `invalid`: never is a private key passed on
 */
export async function parseSshKeys(
  given: string,
  readFile: (path: string) => Promise<string>,
): Promise<readonly string[]> {
  const value = given.trim();
  if (value === "") throw usageError("--ssh-key: it is empty");
  if (publicKey.test(value)) return [value];
  if (/PRIVATE KEY/.test(value)) throw privateKey("that", undefined);
  if (/^(?:ssh-|ecdsa-|sk-)\S+\s/.test(value))
    throw usageError(
      `--ssh-key: ${JSON.stringify(`${value.slice(0, 40)}…`)} is no public key`,
      "Give all of the line that is in the .pub file, in quotes, or the name of the file.",
    );
  const content = await readFile(value);
  if (/PRIVATE KEY/.test(content)) throw privateKey(value, `${value}.pub`);
  const lines = content.split("\n").map((line) => line.trim());
  const keys = lines.filter((line) => line !== "" && !line.startsWith("#"));
  const odd = keys.findIndex((line) => !publicKey.test(line));
  if (keys.length === 0 || odd !== -1)
    throw usageError(
      `--ssh-key: ${value} holds ${keys.length === 0 ? "no key" : "what is no public key"}`,
      "Name a file such as ~/.ssh/id_ed25519.pub; `ssh-keygen` makes one.",
    );
  return keys;
}

function privateKey(what: string, publicPath: string | undefined): Error {
  return usageError(
    `--ssh-key: ${what} is a private key, which nobody else must have`,
    `Give the public one: ${publicPath ?? "the content of ~/.ssh/id_ed25519.pub"}`,
  );
}

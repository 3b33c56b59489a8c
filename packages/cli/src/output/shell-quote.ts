const plain = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** One word for a POSIX shell: as it is where it can be, in single quotes elsewhere. */
export function shellQuote(word: string): string {
  return plain.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

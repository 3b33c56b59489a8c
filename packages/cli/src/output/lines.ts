/** The lines of a text that comes in pieces; a last one without a newline counts, too. */
export async function* splitLines(
  chunks: AsyncIterable<string>,
): AsyncGenerator<string, void, undefined> {
  let rest = "";
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() as string;
    yield* lines;
  }
  if (rest !== "") yield rest;
}

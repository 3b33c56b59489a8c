const CLOSE_ENOUGH = 0.7;

/** The known name that is most like a given one, if any is like enough; of equals, the last. */
export function mostSimilar(given: string, known: readonly string[]): string | undefined {
  let best: { readonly name: string; readonly likeness: number } | undefined;
  for (const name of known) {
    const likeness = jaro(given, name);
    if (likeness > CLOSE_ENOUGH && likeness >= (best?.likeness ?? 0)) best = { name, likeness };
  }
  return best?.name;
}

/** How alike two texts are after Jaro: from 0, nothing in common, to 1, equal. */
export function jaro(a: string, b: string): number {
  if (a.length === 0 && b.length === 0) return 1;
  const reach = Math.max(0, Math.floor(Math.max(a.length, b.length) / 2) - 1);
  const taken = new Set<number>();
  const matchesOfA: string[] = [];
  for (let at = 0; at < a.length; at++) {
    const end = Math.min(b.length, at + reach + 1);
    for (let other = Math.max(0, at - reach); other < end; other++) {
      if (taken.has(other) || a[at] !== b[other]) continue;
      taken.add(other);
      matchesOfA.push(a[at] ?? "");
      break;
    }
  }
  const count = matchesOfA.length;
  if (count === 0) return 0;
  const matchesOfB = [...taken].sort((x, y) => x - y).map((index) => b[index]);
  const swapped = matchesOfA.filter((letter, index) => letter !== matchesOfB[index]).length;
  return (count / a.length + count / b.length + (count - swapped / 2) / count) / 3;
}

/** How a registry wants to be asked: RFC 9110, 11.6.1. */
export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** The challenges of a `WWW-Authenticate` header. What cannot be understood is left out. */
export function parseChallenges(header: string | string[] | undefined): readonly Challenge[] {
  const challenges: Challenge[] = [];
  for (const line of header === undefined ? [] : [header].flat()) {
    let rest = line.trim();
    for (;;) {
      const [whole, scheme] = /^([A-Za-z][A-Za-z0-9!#$&^_.+-]*)(?:\s+|$)/.exec(rest) ?? [];
      if (whole === undefined || scheme === undefined) break;
      rest = rest.slice(whole.length);
      const parameters: Record<string, string> = {};
      for (;;) {
        const [part, name, quoted, plain] =
          /^([A-Za-z][\w-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*,?\s*/.exec(rest) ?? [];
        if (part === undefined || name === undefined) break;
        parameters[name.toLowerCase()] = quoted?.replaceAll(/\\(.)/g, "$1") ?? plain ?? "";
        rest = rest.slice(part.length);
      }
      challenges.push({ scheme: scheme.toLowerCase(), parameters });
    }
  }
  return challenges;
}

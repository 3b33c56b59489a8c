/** Programs that run the words behind them. */
const runners = new Set(["sudo", "ssh", "xargs", "exec", "time", "env", "watch"]);

/** The command lines of silk in a line for a shell, each as the words after `silk`; those in substitutions come first. */
export function silkCommands(line: string): readonly (readonly string[])[] {
  const found: (readonly string[])[] = [];
  for (const words of commandsOf(line, found)) {
    const at = words.indexOf("silk");
    const before = words.slice(0, Math.max(at, 0)).filter((word) => !/^\w+=/.test(word));
    if (at === -1 || (before[0] !== undefined && !runners.has(before[0]))) continue;
    found.push(words.slice(at + 1));
  }
  return found;
}

/** The simple commands of a line, as words. What silk's part in substitutions is goes to `found`. */
function commandsOf(line: string, found: (readonly string[])[]): string[][] {
  const commands: string[][] = [[]];
  let word: string | undefined;
  let skipNext = false;
  const endWord = (): void => {
    if (word !== undefined && !skipNext) commands.at(-1)!.push(word);
    if (word !== undefined) skipNext = false;
    word = undefined;
  };
  for (let i = 0; i < line.length; i++) {
    const char = line[i]!;
    const substitution = /^[$<>]\(/.test(line.slice(i, i + 2));
    if (substitution) {
      const end = closing(line, i + 1);
      found.push(...silkCommands(line.slice(i + 2, end)));
      word = `${word ?? ""}x`;
      i = end;
    } else if (char === "'") {
      const end = line.indexOf("'", i + 1);
      word = (word ?? "") + line.slice(i + 1, end);
      i = end;
    } else if (char === '"') {
      const end = closingQuote(line, i);
      const inner = line.slice(i + 1, end);
      for (const [, command] of inner.matchAll(/\$\((.*)\)/g))
        found.push(...silkCommands(command!));
      word = (word ?? "") + inner.replace(/\$\(.*\)/g, "x").replaceAll("\\", "");
      i = end;
    } else if (char === "\\") word = (word ?? "") + line[++i];
    else if (/\s/.test(char)) endWord();
    else if (char === "#" && word === undefined) break;
    else if (/[|;&]/.test(char)) {
      endWord();
      commands.push([]);
    } else if (char === ">" || char === "<") {
      // A descriptor's number belongs to the redirection, and what follows is a file's name.
      if (word !== undefined && /^\d$/.test(word)) word = undefined;
      endWord();
      if (line[i + 1] === "&" || line[i + 1] === ">") i++;
      skipNext = true;
    } else word = (word ?? "") + char;
  }
  endWord();
  return commands;
}

function closing(line: string, open: number): number {
  let depth = 0;
  for (let i = open; i < line.length; i++) {
    if (line[i] === "'") i = line.indexOf("'", i + 1);
    if (line[i] === "(") depth++;
    if (line[i] === ")" && --depth === 0) return i;
  }
  throw new Error(`a bracket is not closed: ${line}`);
}

function closingQuote(line: string, open: number): number {
  for (let i = open + 1; i < line.length; i++) {
    if (line[i] === "\\") i++;
    else if (line[i] === "$" && line[i + 1] === "(") i = closing(line, i + 1);
    else if (line[i] === '"') return i;
  }
  throw new Error(`a quote is not closed: ${line}`);
}

import type { GuestDisk } from "./disk-commands.ts";

const SECTOR = 512;

/** What a container's VM is told to run. */
export interface RunDisk {
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly hostname: string;
  /** Whether the program waits for somebody at the console. */
  readonly attach: boolean;
}

/** Reads the disk `silk-run`, where there is one, as far as the simulated guest has use for it. */
export function readRunDisk(disks: readonly GuestDisk[]): RunDisk | undefined {
  const disk = disks.find(({ serial }) => serial === "silk-run");
  if (disk === undefined) return undefined;
  const sectors = Array.from({ length: Math.ceil(disk.bytes / SECTOR) }, (_, at) => disk.read(at));
  const text = Buffer.concat(sectors.filter((sector) => sector !== undefined)).toString();
  const lines = new Map<string, string>();
  // A word may have line ends of its own: only what follows a whole word begins a line.
  for (const [, name = "", words = ""] of text.matchAll(
    /^(hostname|attach|silk_find|silk_exec)[= ]((?:'(?:[^']|'\\'')*'|[^'\n])*)$/gm,
  ))
    lines.set(name, words);
  const [env = "", args = ""] = (lines.get("silk_exec") ?? "").split('"$program"');
  return {
    argv: [...wordsOf(lines.get("silk_find") ?? ""), ...wordsOf(args)],
    env: wordsOf(env),
    hostname: wordsOf(lines.get("hostname") ?? "")[0] ?? "",
    attach: lines.get("attach") === "1",
  };
}

function wordsOf(text: string): readonly string[] {
  const words = text.match(/(?:'[^']*'|\\')+/g) ?? [];
  return words.map((word) =>
    word.replaceAll("'\\''", "\0").replaceAll("'", "").replaceAll("\0", "'"),
  );
}

import type { Row } from "./rows.ts";

/**
 * Recorded paths live below the root of the recording's host; here they live below the working directory of the replayed
 * programs. Each is turned into a relative path of the same length (`/t/run` becomes `.t/run`), so that columns in error
 * messages, lengths of files and the limit of a socket's path stay as they were.
 */
const HOST_OWN = [
  "dev",
  "etc",
  "proc",
  "sys",
  "usr",
  "bin",
  "lib",
  "lib64",
  "sbin",
  "api",
  "cargo",
  "rustc",
];
const BEFORE = String.raw`(?<=^|file:\/\/|[^\w.\/-])`;
const RECORDED = new RegExp(
  String.raw`${BEFORE}\/(?!(?:${HOST_OWN.join("|")})\b)([A-Za-z_][\w-]*)`,
  "g",
);
const REPLAYED = new RegExp(
  String.raw`${BEFORE}\.([A-Za-z_][\w-]*)(?=[\w.-]*(?:[\/"'\s,;:)\]}\\]|$))`,
  "g",
);

/** By how much a recording's paths were longer than they are written, by their first part; and what stands for that part. */
let longer: ReadonlyMap<string, string> = new Map();
let shorter: ReadonlyMap<string, string> = new Map();

/**
 * Finds out whether a recording's paths have been shortened after the fact: its answers' lengths then do not fit. Replayed
 * paths are made as long as the recorded ones were.
 */
export function learnLengths(rows: readonly Row[]): void {
  const answers = rows
    .filter((row) => row.kind === "call")
    .filter((row) => row.headers["Content-Length"] !== undefined && row.response !== "")
    .map((row) => ({
      parts: [...row.response.matchAll(RECORDED)].map(([, part]) => part ?? ""),
      missing: Number(row.headers["Content-Length"]) - Buffer.byteLength(row.response),
    }));
  const found = new Map<string, string>();
  for (const part of new Set(answers.flatMap(({ parts }) => parts))) {
    const count = (parts: readonly string[]): number => parts.filter((one) => one === part).length;
    const sample = answers.find(({ parts, missing }) => count(parts) > 0 && missing > 0);
    const each = sample === undefined ? 0 : sample.missing / count(sample.parts);
    const fits = answers.every(
      ({ parts, missing }) => missing === each * count(parts) || missing < 0,
    );
    if (each > 0 && Number.isInteger(each) && fits) found.set(part, part + "x".repeat(each));
  }
  longer = found;
  shorter = new Map([...found].map(([part, alias]) => [alias, part]));
}

/** Turns the paths in a recorded text into those of the replay. */
export function toReplay(text: string): string {
  return text.replaceAll(RECORDED, (_all, part: string) => `.${longer.get(part) ?? part}`);
}

/** Turns the paths in a replayed text back into recorded ones. */
export function toRecorded(text: string): string {
  return text.replaceAll(REPLAYED, (_all, part: string) => `/${shorter.get(part) ?? part}`);
}

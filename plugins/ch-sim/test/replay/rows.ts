import { readFileSync } from "node:fs";

/** One API call, made over a connection of its own. */
export interface CallRow {
  readonly kind: "call";
  readonly step: string;
  readonly vmm: string;
  readonly method: string;
  readonly path: string;
  readonly request: string | null;
  readonly status: number;
  readonly status_line: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly response: string;
  /** How curl ended, where it got no answer: 7 where nobody listened. */
  readonly curl_exit?: number;
}

/** A program that was started (`argv`), or one that came to an end (`exit`), or both. */
export interface ProcRow {
  readonly kind: "proc";
  readonly step: string;
  readonly argv?: readonly string[];
  readonly socket_ready_ms?: number | null;
  readonly signal?: string;
  readonly exit?: number | string;
  readonly socket_left?: boolean;
  readonly lock_left?: boolean;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly ms?: number;
}

/** Bytes that were sent over one connection, and what came back. */
export interface RawRow {
  readonly kind: "raw";
  readonly step: string;
  readonly sent?: string;
  readonly received?: string;
  readonly server_closed?: boolean;
  /** For the row that counts connections: how many were served. */
  readonly ok?: number;
}

/** A request of Node's own HTTP client. */
export interface NodeHttpRow {
  readonly kind: "node-http";
  readonly step: string;
  readonly sentHeaders: string;
  readonly reused: boolean;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly error?: string;
}

/** Something that was looked at from outside. */
export interface NoteRow {
  readonly kind: "note";
  readonly step: string;
  readonly [key: string]: unknown;
}

export type Row = CallRow | ProcRow | RawRow | NodeHttpRow | NoteRow;

/** Reads a recording: one row a line. */
export function readRows(path: string): Row[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => JSON.parse(line) as Row);
}

/** The call's name without its path: `vm.boot`. */
export function callName(row: CallRow): string {
  return row.path.replace(/^\/api\/v1\//, "");
}

/** The VMM that a row starts; undefined for any other row. */
export function spawnedName(row: Row): string | undefined {
  return row.kind === "proc" ? /(\S+):spawn$/.exec(row.step)?.[1] : undefined;
}

/** A request or an answer as JSON; undefined where it is none. */
export function asJson(text: string | null | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}

/** The chain of errors that an answer tells; empty where it tells none. */
export function errorsOf(row: Row): string[] {
  const texts = row.kind === "call" ? asJson(row.response) : undefined;
  if (Array.isArray(texts)) return texts.map(String);
  const stderr =
    row.kind === "proc" || row.kind === "note" ? row["stderr" as keyof typeof row] : undefined;
  return typeof stderr === "string"
    ? [...stderr.matchAll(/^ {2}\d+: (.*)$/gm)].map((found) => found[1] ?? "")
    : [];
}

import { learnLengths } from "./paths.ts";
import {
  asJson,
  type CallRow,
  callName,
  errorsOf,
  type NoteRow,
  type ProcRow,
  readRows,
  type Row,
  spawnedName,
} from "./rows.ts";

/** The config of a VM, as far as a replay looks into it. */
export interface KnownConfig {
  readonly payload?: { kernel?: string; initramfs?: string; firmware?: string } | null;
  readonly disks?: ReadonlyArray<KnownDisk> | null;
  readonly net?: ReadonlyArray<Readonly<Record<string, unknown>>> | null;
  readonly [key: string]: unknown;
}

export interface KnownDisk {
  readonly id?: string;
  readonly path?: string;
  readonly readonly?: boolean;
  readonly image_type?: string;
  readonly backing_files?: boolean;
  readonly [key: string]: unknown;
}

/** A recording, and what can be told by looking ahead in it. */
export class Recording {
  readonly rows: readonly Row[];

  constructor(path: string) {
    this.rows = readRows(path);
    learnLengths(this.rows);
  }

  /** The rows that are about the VMM that row `start` starts: its calls, and everything that follows the last of them. */
  *lifetime(start: number): Generator<[number, CallRow]> {
    const name = spawnedName(this.#at(start));
    for (let at = start + 1; at < this.rows.length; at++) {
      const row = this.#at(at);
      const spawn = spawnedName(row);
      if (spawn === name && row.kind === "proc" && row.socket_ready_ms !== null) return;
      if (row.kind === "call" && row.vmm === name) yield [at, row];
    }
  }

  /** The calls to the same VMM that follow row `at`, up to its next start. */
  *callsAfter(at: number, vmm: string): Generator<[number, CallRow]> {
    for (let next = at + 1; next < this.rows.length; next++) {
      const row = this.#at(next);
      if (spawnedName(row) === vmm && row.kind === "proc" && row.socket_ready_ms !== null) return;
      if (row.kind === "call" && row.vmm === vmm) yield [next, row];
    }
  }

  /** The row that says how the VMM started or spoken to at `at` came to an end; undefined where none does. */
  exitAfter(at: number): ProcRow | NoteRow | undefined {
    for (let next = at + 1; next < this.rows.length; next++) {
      const row = this.#at(next);
      if (spawnedName(row) !== undefined || row.kind === "call") return undefined;
      if ((row.kind === "proc" && row.argv === undefined) || (row.kind === "note" && "exit" in row))
        return row;
    }
    return undefined;
  }

  /** The config that `vm.info` tells next, provided that nothing changes it in between. */
  configAfter(at: number, vmm: string): KnownConfig | undefined {
    for (const [, row] of this.callsAfter(at, vmm)) {
      const name = callName(row);
      if (name === "vm.info" && row.status === 200) {
        return (asJson(row.response) as { config: KnownConfig }).config;
      }
      if (row.status < 300 && /vm\.(?:add-|remove-|resize|delete|create|restore)/.test(name))
        return undefined;
    }
    return undefined;
  }

  /** The errors of the next `vm.boot` of a VMM; empty where it succeeds, undefined where it is never tried. */
  bootErrors(at: number, vmm: string): string[] | undefined {
    for (const [, row] of this.callsAfter(at, vmm)) {
      if (callName(row) === "vm.boot") return row.status < 300 ? [] : errorsOf(row);
      if (callName(row) === "vm.delete") return undefined;
    }
    return undefined;
  }

  /** The notes between row `at` and the next call. */
  notesAfter(at: number): NoteRow[] {
    const notes: NoteRow[] = [];
    for (let next = at + 1; next < this.rows.length; next++) {
      const row = this.#at(next);
      if (row.kind === "call" || spawnedName(row) !== undefined) break;
      if (row.kind === "note") notes.push(row);
    }
    return notes;
  }

  #at(index: number): Row {
    const row = this.rows[index];
    if (row === undefined) throw new RangeError(`the recording has no row ${index}`);
    return row;
  }
}

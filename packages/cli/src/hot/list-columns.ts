import type { SqlValue, VmProblem, VmState, VmSummary } from "@silkvm/core";
import { vmColumns } from "../list-view.ts";
import type { Column } from "../output/table.ts";
import { stretchesOf, stretchLiteral } from "./moments.ts";

/** Between which moments the rows lie. */
export interface TimeRange {
  readonly oldest: string;
  readonly newest: string;
  /** Of the VMs that run; null where none does. */
  readonly firstStart: string | null;
  readonly lastStart: string | null;
}

/** A column as SQLite makes it: its text is in the row, or goes by a value of which most rows have one of a few. */
export type SqlColumn = TextColumn | KeyColumn;

interface TextColumn {
  readonly column: Column<VmSummary>;
  readonly text: string;
}

interface KeyColumn {
  readonly column: Column<VmSummary>;
  /** The value, an SQL expression; NULL where there is no text for it. */
  readonly key: string;
  show(value: SqlValue): string;
  /** Values that rows may have though none was seen with them. */
  readonly foreseen: readonly SqlValue[];
  /** The SQL expression of a row's text, by the literals of the texts of the values; NULL for every other value. */
  select(literals: ReadonlyMap<SqlValue, string>): string;
}

/** The columns of the list; undefined where there is one that SQLite does not know how to make. */
export function sqlColumns(range: TimeRange, nowMs: number): readonly SqlColumn[] | undefined {
  const makers = columnMakers(range, nowMs);
  const columns = vmColumns(nowMs).map((column) => makers[column.header]?.(column));
  return columns.every((column) => column !== undefined) ? columns : undefined;
}

function columnMakers(
  range: TimeRange,
  nowMs: number,
): Readonly<Record<string, (column: Column<VmSummary>) => SqlColumn>> {
  return {
    ID: (column) => ({ column, text: "id" }),
    NAME: (column) => ({ column, text: "name" }),
    STATE: stateColumn,
    CPUS: (column) => byValue(column, "cpus", (value) => ({ cpus: value as number })),
    MEMORY: (column) =>
      byValue(column, "memory_bytes", (value) => ({ memoryBytes: value as number })),
    STORAGE: (column) =>
      byValue(column, "storage_bytes", (value) => ({ storageBytes: value as number })),
    NICS: (column) => byValue(column, "nics", (value) => ({ nics: value as number })),
    // NULL is equal to nothing, and no image has an empty name.
    IMAGE: (column) =>
      byValue(column, "ifnull(image, '')", (value) => ({ image: value as string })),
    CREATED: (column) =>
      byMoment(column, "created_at", range, nowMs, (createdAt) => ({ createdAt })),
    UPTIME: (column) => uptimeColumn(column, range, nowMs),
  };
}

/** An error has its code beside it. Without one among the values, the state alone decides, which takes less time. */
function stateColumn(column: Column<VmSummary>): KeyColumn {
  const byState = byValue(column, "state", (value) => ({ state: value as VmState, problem: null }));
  const byError = byValue(
    column,
    "CASE WHEN state = 'error' AND problem IS NOT NULL THEN 'error' || char(10) || (problem ->> '$.code') ELSE state END",
    (value) => {
      const [state, code] = (value as string).split("\n") as [VmState, string | undefined];
      return { state, problem: code === undefined ? null : ({ code } as VmProblem) };
    },
  );
  return {
    ...byError,
    select: (literals) =>
      ([...literals.keys()].some((key) => String(key).startsWith("error"))
        ? byError
        : byState
      ).select(literals),
  };
}

/** Where no VM is known to run, none is shown as running: whether one does is for the state's column to find out. */
function uptimeColumn(
  column: Column<VmSummary>,
  { firstStart, lastStart }: TimeRange,
  nowMs: number,
): KeyColumn {
  const stopped: KeyColumn = {
    column,
    key: "-1",
    show: () => column.cell({ state: "stopped", startedAt: null } as VmSummary),
    foreseen: [],
    select: (literals) => literals.get(-1) ?? "NULL",
  };
  if (firstStart === null || lastStart === null) return stopped;
  const starts = { oldest: firstStart, newest: lastStart };
  const running = byMoment(column, "started_at", starts, nowMs, (startedAt) => ({
    state: "running",
    startedAt,
  }));
  const either = (ofRunning: string, ofOthers: string): string =>
    `iif(state = 'running' AND started_at IS NOT NULL, ${ofRunning}, ${ofOthers})`;
  return {
    column,
    key: either(running.key, stopped.key),
    show: (value) => (value === -1 ? stopped : running).show(value),
    foreseen: running.foreseen,
    select: (literals) => either(running.select(literals), stopped.select(literals)),
  };
}

/** A column that shows one value of the row. */
function byValue(
  column: Column<VmSummary>,
  key: string,
  sample: (value: SqlValue) => Partial<VmSummary>,
): KeyColumn {
  return {
    column,
    key,
    show: (value) => column.cell(sample(value) as VmSummary),
    foreseen: [],
    select: (literals) => {
      const cases = [...literals].map(
        ([value, literal]) => `WHEN ${sqlLiteral(value)} THEN ${literal}`,
      );
      return cases.length === 0 ? "NULL" : `CASE ${key} ${cases.join(" ")} END`;
    },
  };
}

/** A column that shows how long ago a moment was. */
function byMoment(
  column: Column<VmSummary>,
  moment: string,
  { oldest, newest }: Pick<TimeRange, "oldest" | "newest">,
  nowMs: number,
  sample: (moment: string) => Partial<VmSummary>,
): KeyColumn {
  const stretches = stretchesOf(oldest, newest, nowMs);
  const indices = [...stretches.keys()];
  return {
    column,
    key: stretchLiteral(moment, stretches, indices.map(String)),
    show: (index) => column.cell(sample(stretches[index as number]?.moment as string) as VmSummary),
    foreseen: indices,
    select: (literals) =>
      stretchLiteral(
        moment,
        stretches,
        indices.map((index) => literals.get(index) ?? "NULL"),
      ),
  };
}

/** A value as it is written in SQL. */
export function sqlLiteral(value: SqlValue): string {
  return typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : String(value);
}

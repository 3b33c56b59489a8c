import { fatalError, normalStderr } from "./normalize.ts";
import { toRecorded } from "./paths.ts";
import type { NoteRow } from "./rows.ts";
import { exitOf } from "./run-proc.ts";
import { differ, type World } from "./world.ts";

const END_MS = 10_000;
const ALIVE_MS = 200;

/** Looks whether a program has ended, and how; or that it has not. */
export async function noteOfEnd(world: World, row: NoteRow): Promise<string[]> {
  const program = world.ending();
  if (program === undefined) return ["no program is left"];
  const running = row["alive"] === true || row["exit"] === null || typeof row["exit"] === "string";
  if (running) {
    const ending = await program.waitEnd(ALIVE_MS);
    const differences = differ(
      "state",
      "running",
      ending === undefined ? "running" : program.stderr,
    );
    // Where a second VMM had been let in, it made room for the next one.
    if (typeof row["exit"] === "string") await program.kill();
    return differences;
  }
  const ending = await program.waitEnd(END_MS);
  program.accounted = true;
  const differences = differ(
    "exit",
    row["exit"],
    ending === undefined ? "still running" : exitOf(program),
  );
  const stderr = row["stderr"];
  if (typeof stderr === "string" && stderr.includes("chain of errors")) {
    const actual = toRecorded(program.stderr);
    differences.push(
      ...differ("stderr", normalStderr(stderr), normalStderr(actual)),
      ...differ("fatal error", fatalError(stderr) ?? "none", fatalError(actual) ?? "none"),
    );
  }
  return differences;
}

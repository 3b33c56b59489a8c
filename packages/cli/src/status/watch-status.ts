import { setTimeout as delay } from "node:timers/promises";
import type { VmSummary } from "@silkvm/core";
import type { OpenEngine } from "../engine.ts";
import { hasColor } from "../output/color.ts";
import { outputClosed } from "../output/guard.ts";
import { print, printJson, terminalWidth } from "../output/stdout.ts";
import { renderStatus } from "./status-view.ts";

type Ids = ReadonlySet<string> | undefined;

/** Prints the state of the VMs once. */
export async function printStatus(open: OpenEngine, ids: Ids, json: boolean): Promise<void> {
  const vms = await look(open, ids);
  if (json) printJson(vms);
  else print(draw(vms));
}

/** Draws the table anew, in place, until the user has seen enough. */
export async function watchStatus(open: OpenEngine, ids: Ids, intervalMs: number): Promise<void> {
  let drawn = 0;
  await open.deadline.follow(
    "the status",
    async (signal) => {
      for (;;) {
        const text = fit(draw(await look(open, ids)));
        const back = drawn === 0 ? "" : `\u001b[${drawn}A\r`;
        print(`${back}\u001b[J${text}`);
        drawn = text.split("\n").length - 1;
        await delay(intervalMs, undefined, { signal });
      }
    },
    [outputClosed],
  );
}

async function look(open: OpenEngine, ids: Ids): Promise<readonly VmSummary[]> {
  const vms = await open.engine.list({ all: true });
  return ids === undefined ? vms : vms.filter(({ id }) => ids.has(id));
}

function draw(vms: readonly VmSummary[]): string {
  return renderStatus(vms, {
    nowMs: Date.now(),
    width: terminalWidth(),
    color: hasColor(process.stdout),
  });
}

/** What scrolled away could not be drawn over: no more lines than the terminal has. */
function fit(text: string): string {
  const lines = text.split("\n").slice(0, -1);
  const room = Math.max(2, (process.stdout.rows ?? 24) - 1);
  if (lines.length <= room) return text;
  const hidden = lines.length - room + 1;
  return `${lines.slice(0, room - 1).join("\n")}\n… and ${hidden} more\n`;
}

import type { OpenEngine } from "../engine.ts";
import { renderEvent } from "../event-view.ts";
import { outputClosed } from "../output/guard.ts";
import { print, printNdjson } from "../output/stdout.ts";

/** A line for each VM as it is, then one for each thing that happens to it. */
export async function followVmEvents(
  open: OpenEngine,
  ids: ReadonlySet<string> | undefined,
  json: boolean,
): Promise<void> {
  const isWatched = (id: string): boolean => ids === undefined || ids.has(id);
  await open.deadline.follow(
    "the events",
    async (signal) => {
      let after = 0;
      for await (const { seq } of open.engine.events({ signal })) after = seq;
      for (const vm of await open.engine.list({ all: true })) {
        if (!isWatched(vm.id)) continue;
        if (json) printNdjson({ type: "vm.status", vm });
        else print(`${vm.state}  ${vm.name}  (${vm.id})\n`);
      }
      for await (const event of open.engine.events({ signal, after, follow: true })) {
        if (!isWatched(event.vmId)) continue;
        if (json) printNdjson(event);
        else print(renderEvent(event));
      }
    },
    [outputClosed],
  );
}

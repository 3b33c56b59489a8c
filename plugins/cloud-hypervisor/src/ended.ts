import { type ChEvent, parseEvents } from "@silkvm/ch-client";
import type { VmRecord } from "@silkvm/core";
import type { Machine } from "./machine.ts";
import { eventsPath } from "./vmm-processes.ts";

/** More than a VM writes in years: a few events for each start, resize and device. What is longer is read from the end. */
const readBytes = 1024 * 1024;

/**
 * Whether a VM whose VMM is gone has run and then shut down in order, by the last events that its VMM wrote. A guest that
 * switches itself off ends so, and so does a VMM that was asked to; one that crashed or was killed does not.
 */
export async function endedInOrder({ host, paths }: Machine, vm: VmRecord): Promise<boolean> {
  const path = eventsPath(paths(vm));
  const stat = await host.files.stat(path);
  if (stat === undefined) return false;
  const bytes = await host.files.readRange(
    path,
    Math.max(0, stat.sizeBytes - readBytes),
    readBytes,
  );
  let ran = stat.sizeBytes > readBytes;
  let ended = false;
  for await (const event of parseEvents(only(bytes))) {
    if (began(event)) ran = true;
    if (began(event) || isVm(event, "booting")) ended = false;
    if (isVm(event, "shutdown") || isVm(event, "deleted") || event.source === "vmm")
      ended = event.event !== "starting";
  }
  return ran && ended;
}

function began(event: ChEvent): boolean {
  return ["booted", "rebooted", "resumed", "restored"].some((name) => isVm(event, name));
}

function isVm({ source, event }: ChEvent, name: string): boolean {
  return source === "vm" && event === name;
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

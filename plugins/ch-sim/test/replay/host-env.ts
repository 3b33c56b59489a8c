import { type MonitorEvent, recordedEvents } from "./events.ts";
import type { Recording } from "./recording.ts";
import { asJson, callName, type CallRow, errorsOf, type Row } from "./rows.ts";

/** How long an on-demand restore fills memory in a replay, for each GiB. */
export const FILL_MS_PER_GIB = 400;
/** How long a vhost-user socket is tried in a replay. */
export const VHOST_USER_CONNECT_MS = 300;
/** When the guest lets go, where the recording shows a device for a while after its removal. */
export const SLOW_ACK_MS = 400;

/** What a VMM has to be told of the host and of the guest that it was recorded with: the environment of its process. */
export function environmentFor(recording: Recording, start: number): Record<string, string> {
  const life = [...recording.lifetime(start)].map(([, row]) => row);
  return {
    CH_SIM_HOST: JSON.stringify({
      buildVersion: buildVersion(recording.rows),
      physicalBits: physicalBits(recording.rows),
      nestedState: !life.some((row) => row.response.includes("GetNestedState")),
      vhostUserConnectMs: VHOST_USER_CONNECT_MS,
      onDemandFillMsPerGib: FILL_MS_PER_GIB,
    }),
    CH_SIM_GUEST: JSON.stringify({
      ackRemoval: removal(recording, start, life),
      ackVcpus: life.some((row) => row.status === 429) ? "never" : 0,
      ackMemory: givesMemory(life) ? 0 : "never",
      nmi:
        nmiAt(recording, start, life) && guestReboots(recording, start, life) ? "reboot" : "ignore",
      powerButton: powerButton(recording, start, life),
      shutdownMs: 0,
    }),
    CH_SIM_FAULTS: JSON.stringify(
      hangs(recording, start) ? [{ call: "vmm.shutdown", action: "answer-and-hang" }] : [],
    ),
  };
}

function buildVersion(rows: readonly Row[]): string {
  for (const row of rows) {
    const text = row.kind === "call" ? row.response : row.kind === "proc" ? (row.stdout ?? "") : "";
    const found = /"build_version":"([^"]+)"/.exec(text) ?? /^cloud-hypervisor (\S+)\n/.exec(text);
    if (found?.[1] !== undefined) return found[1];
  }
  return "v53.0";
}

/** Devices with large registers are put below the end of the host's addresses. */
function physicalBits(rows: readonly Row[]): number {
  let highest = 0n;
  for (const row of rows) {
    if (row.kind !== "call" || callName(row) !== "vm.info") continue;
    for (const found of row.response.matchAll(/"base":(\d+)/g)) {
      const base = BigInt(found[1] ?? 0);
      if (base > highest) highest = base;
    }
  }
  const bits = highest.toString(2).length;
  return bits > 32 ? bits : 46;
}

/** Whether the guest lets a removed device go, told by the tree of devices and by what becomes of its id. */
function removal(recording: Recording, start: number, life: readonly CallRow[]): number | "never" {
  const events = eventsOf(recording, start);
  if (events !== undefined && !events.some(({ event }) => event === "device-removed"))
    return "never";
  let seen: number | "never" | undefined;
  for (const [at, row] of life.entries()) {
    if (callName(row) !== "vm.remove-device" || row.status !== 204) continue;
    const { id } = asJson(row.request) as { id: string };
    if (!life.slice(0, at).some((before) => inTree(before, id))) continue;
    const later = life
      .slice(at + 1)
      .filter((next) => callName(next) === "vm.info" && next.status === 200);
    const states = later
      .map((next) => asJson(next.response) as { state: string; device_tree?: object })
      .filter((info) => info.state === "Running")
      .map((info) => Object.hasOwn(info.device_tree ?? {}, id));
    if (states.length > 0 && !states.at(-1)) seen = states[0] === true ? SLOW_ACK_MS : 0;
  }
  return seen ?? "never";
}

/** Whether the guest ever has more or less memory than it was booted with. */
function givesMemory(life: readonly CallRow[]): boolean {
  return life.some((row) => {
    if (callName(row) !== "vm.info" || row.status !== 200) return false;
    const { config, memory_actual_size: actual } = asJson(row.response) as {
      config: { memory: { size: number; zones?: { size: number }[] } };
      memory_actual_size: number;
    };
    const zones = (config.memory.zones ?? []).reduce((sum, zone) => sum + zone.size, 0);
    return actual !== config.memory.size + zones;
  });
}

function inTree(row: CallRow, id: string): boolean {
  if (callName(row) !== "vm.info" || row.status !== 200) return false;
  return Object.hasOwn((asJson(row.response) as { device_tree?: object }).device_tree ?? {}, id);
}

function powerButton(
  recording: Recording,
  start: number,
  life: readonly CallRow[],
): "shutdown" | "reboot" | "ignore" {
  const reboots = guestReboots(recording, start, life) && !nmiAt(recording, start, life);
  const pressed = life.some((row) => callName(row) === "vm.power-button" && row.status === 204);
  if (reboots && pressed) return "reboot";
  const at = life.findLastIndex((row) => callName(row) === "vm.power-button" && row.status === 204);
  const after = life[at + 1];
  if (at === -1 || (after !== undefined && after.status !== 0)) return "ignore";
  const last = [...recording.lifetime(start)].at(-1)?.[0] ?? start;
  const exit = recording.exitAfter(last);
  return after !== undefined || (exit?.kind === "proc" && exit.signal === undefined)
    ? "shutdown"
    : "ignore";
}

/** Whether the guest was interrupted: by a call, or by one among raw bytes. */
function nmiAt(recording: Recording, start: number, life: readonly CallRow[]): boolean {
  if (life.some((row) => callName(row) === "vm.nmi" && row.status === 204)) return true;
  const last = [...recording.lifetime(start)].at(-1)?.[0] ?? start;
  return recording.rows
    .slice(start, last)
    .some((row) => row.kind === "raw" && row.sent?.includes("/vm.nmi ") === true);
}

/** Whether the VMM told of more reboots than it had been asked for. */
function guestReboots(recording: Recording, start: number, life: readonly CallRow[]): boolean {
  const told = eventsOf(recording, start)?.filter(({ event }) => event === "rebooting").length ?? 0;
  return told > life.filter((row) => callName(row) === "vm.reboot").length;
}

/** The events that were read after the end of a VMM; undefined where nobody looked. */
function eventsOf(recording: Recording, start: number): MonitorEvent[] | undefined {
  const last = [...recording.lifetime(start)].at(-1)?.[0] ?? start;
  const notes = recording.notesAfter(last);
  const lines = notes.find((note) => typeof note["lines"] === "string")?.["lines"];
  return typeof lines === "string" ? recordedEvents(lines) : undefined;
}

/** Whether the process was still there long after it had answered `vmm.shutdown`. */
function hangs(recording: Recording, start: number): boolean {
  for (const [at, row] of recording.lifetime(start)) {
    if (callName(row) !== "vmm.shutdown" || row.status !== 200) continue;
    const exit = recording.exitAfter(at);
    if (typeof exit?.exit === "string" && exit.exit.startsWith("still running")) return true;
  }
  return false;
}

/** Whether an answer's errors say that the VMM had gone while it was being asked. */
export function goneMeanwhile(row: CallRow): boolean {
  return errorsOf(row).includes("receiving on a closed channel");
}

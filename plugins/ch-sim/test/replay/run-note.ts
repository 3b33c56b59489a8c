import { readFileSync, statSync } from "node:fs";
import { basename } from "node:path";

import { recordedEvents } from "./events.ts";
import { locksOf } from "./locks.ts";
import { normalJson, normalText } from "./normalize.ts";
import { toReplay } from "./paths.ts";
import { noteOfConcurrency, noteOfSerialClients } from "./note-clients.ts";
import { noteOfEnd } from "./note-ends.ts";
import {
  noteOfExistence,
  noteOfFiles,
  noteOfLeftSockets,
  noteOfMemory,
  noteOfSize,
} from "./note-files.ts";
import { type CallRow, callName, type NoteRow } from "./rows.ts";
import { differ, type KnownInfo, type Outcome, outcome, type World } from "./world.ts";

type Check = (world: World, row: NoteRow, at: number) => Promise<string[]> | string[];

/** Which note a check is for: the keys that the note has to have. The first that fits is taken. */
const CHECKS: ReadonlyArray<readonly [readonly string[], Check]> = [
  [["restore_status"], noteOfRestore],
  [["status", "err", "state"], noteOfAnswer],
  [
    ["results"],
    async (world, row) => await noteOfConcurrency(world, row["results"] as [string, string][]),
  ],
  [["a", "b"], noteOfSerialClients],
  [["recv"], noteOfSerialClients],
  [["rw"], noteOfLocks],
  [["exit"], noteOfEnd],
  [["alive"], noteOfEnd],
  [["files"], noteOfFiles],
  [["exists"], noteOfExistence],
  [["size"], noteOfSize],
  [["path", "mode"], noteOfTerminal],
  [["lines"], noteOfEvents],
  [["events"], noteOfEvents],
  [["tree", "disks"], noteOfDevices],
  [["console"], noteOfConsole],
  [["states"], noteOfState],
  [
    ["concurrent_ping_sent_2s_into_the_wait"],
    (world) => differ("ping meanwhile", 200, world.pingMeanwhile),
  ],
  [["serial", "vsock"], noteOfLeftSockets],
  [["same"], noteOfMemory],
];

/** Looks at what a note tells of, where it can be seen from here. */
export async function runNote(world: World, at: number, row: NoteRow): Promise<Outcome> {
  const check = CHECKS.find(([keys]) => keys.every((key) => Object.hasOwn(row, key)));
  if (check === undefined || (row["alive"] !== undefined && typeof row["alive"] !== "boolean")) {
    return { result: "unchecked", why: "tells of the recording's host" };
  }
  return outcome(await check[1](world, row, at));
}

/** The program that notes are about: that of the last call, or the last that was started. */
async function currentInfo(world: World): Promise<KnownInfo | undefined> {
  const program = world.ending();
  return program === undefined ? undefined : await world.info(program);
}

async function noteOfRestore(world: World, row: NoteRow): Promise<string[]> {
  const info = await currentInfo(world);
  const { config } = info ?? {};
  const disks = config?.disks?.map((disk) => [
    disk.id,
    basename(disk.path ?? ""),
    disk["num_queues"],
  ]);
  return [
    ...differ("state after resume", row["state_after_resume"] ?? null, info?.state ?? null),
    ...differ(
      "memory",
      row["mem"] ?? null,
      (config?.["memory"] as { size?: number })?.size ?? null,
    ),
    ...differ("disks", row["disks"] ?? null, disks ?? null),
    ...differ(
      "net",
      normalJson(JSON.stringify(row["net"] ?? null)),
      normalJson(JSON.stringify(config?.net ?? null)),
    ),
    ...differ(
      "console",
      normalJson(JSON.stringify(row["console"] ?? null)),
      normalJson(JSON.stringify(config?.["console"] ?? null)),
    ),
  ];
}

function noteOfAnswer(world: World, row: NoteRow, at: number): string[] {
  for (let before = at - 1; before >= 0; before--) {
    const call = world.recording.rows[before] as CallRow;
    if (call.kind === "call" && callName(call) !== "vm.info") {
      return differ("the call that it tells of", row["status"], call.status);
    }
  }
  return ["no call before it"];
}

async function noteOfLocks(world: World, row: NoteRow): Promise<string[]> {
  // An answer comes once what was under way is done.
  await currentInfo(world);
  const { argv } =
    world.sandbox.programs.findLast((program) => program.argv.includes("--disk")) ?? {};
  const disks = (argv ?? []).filter((word) => word.startsWith("path="));
  const pick = (test: RegExp): string | undefined =>
    /path=([^,]+)/.exec(disks.find((word) => test.test(word)) ?? "")?.[1];
  const paths: Record<string, string | undefined> = {
    rw: pick(/^(?!.*(?:readonly=on|qcow2)).*$/),
    ro: pick(/readonly=on/),
    overlay: pick(/\.qcow2/),
    backing: toReplay("/t/img/replay-backing.qcow2"),
  };
  return Object.entries(paths).flatMap(([name, path]) => {
    const expected = row[name];
    if (expected === undefined || path === undefined) return [];
    const wanted = (expected as string[]).map((line) =>
      /(READ|WRITE) -?\d+ \S+ (\d+ \S+)/.exec(line)?.slice(1).join(" "),
    );
    return differ(name, wanted, locksOf(world.sandbox.where(path)));
  });
}

async function noteOfTerminal(world: World, row: NoteRow): Promise<string[]> {
  const info = await currentInfo(world);
  const path = (info?.config["console"] as { file?: string } | undefined)?.file;
  if (path === undefined) return ["no terminal"];
  const stat = statSync(path);
  return [
    ...differ("path", normalText(String(row["path"])), normalText(path)),
    ...differ("mode", row["mode"], `0o${stat.mode.toString(8)}`),
    ...differ("owner", row["uid"], stat.uid),
  ];
}

function noteOfEvents(world: World, row: NoteRow): string[] {
  const program = world.sandbox.programs.findLast((one) => one.argv.includes("--event-monitor"));
  const monitor = program?.argv[program.argv.indexOf("--event-monitor") + 1];
  const path = monitor?.replace(/^path=/, "");
  if (path === undefined) return ["nobody monitors events"];
  const events = recordedEvents(readFileSync(world.sandbox.where(path), "utf8"));
  if (row["events"] !== undefined) {
    return differ(
      "events",
      row["events"],
      events.map((event) => [event.source, event.event]),
    );
  }
  const told = recordedEvents(row["lines"] as string);
  const plain = (list: typeof told): string =>
    JSON.stringify(
      list.map(({ source, event, properties }) => ({ source, event, properties })),
      undefined,
      1,
    );
  return differ("events", plain(told), plain(events));
}

async function noteOfDevices(world: World, row: NoteRow): Promise<string[]> {
  const info = await currentInfo(world);
  const config = info?.config;
  const mac = (text: unknown): string => normalText(String(text));
  const ids = (
    list: readonly Record<string, unknown>[] | null | undefined,
    ...keys: string[]
  ): unknown[] => (list ?? []).map((item) => keys.map((key) => item[key] ?? null));
  return [
    ...differ("disks", row["disks"], ids(config?.disks, "id", "path")),
    ...differ(
      "net",
      mac(JSON.stringify(row["net"])),
      mac(JSON.stringify(ids(config?.net, "id", "tap", "mac"))),
    ),
    ...differ("fs", row["fs"] ?? null, config?.["fs"] ?? null),
    ...differ(
      "tree",
      (row["tree"] as string[]).toSorted(),
      Object.keys(info?.device_tree ?? {}).toSorted(),
    ),
    ...differ("memory", row["mem"], (config?.["memory"] as { size?: number } | undefined)?.size),
    ...differ("vCPUs", row["vcpus"], config?.["cpus"]),
  ];
}

async function noteOfConsole(world: World, row: NoteRow): Promise<string[]> {
  const info = await currentInfo(world);
  return differ(
    "console",
    normalJson(JSON.stringify(row["console"])),
    normalJson(JSON.stringify(info?.config["console"])),
  );
}

async function noteOfState(world: World, row: NoteRow): Promise<string[]> {
  const states = row["states"] as [number, string][];
  return differ("state", states.at(-1)?.[1], (await currentInfo(world))?.state);
}

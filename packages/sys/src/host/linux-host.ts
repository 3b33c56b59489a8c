import type { Host } from "@silkvm/core";
import { clock } from "./clock.ts";
import { openReadOnly } from "./database/read-only.ts";
import { openWritable } from "./database/writable.ts";
import { facts } from "./facts.ts";
import { files } from "./files/files.ts";
import { locks } from "./locks.ts";
import { randomBytes } from "./random.ts";
import { linuxProcesses } from "./processes/processes.ts";

/**
 * The Linux machine that this process runs on, as silk's host port. Making one costs next to nothing: what only some
 * commands need (child processes, sockets, terminals, native calls) is loaded when it is first used.
 * @throws Error on any other operating system
 */
export function linuxHost(): Host {
  if (process.platform !== "linux")
    throw new Error(`silk runs on Linux, not on ${process.platform}`);
  return {
    files,
    processes: linuxProcesses(),
    locks,
    clock,
    random: { bytes: randomBytes },
    facts,
    openDatabase: (path, { readOnly }) => (readOnly ? openReadOnly(path) : openWritable(path)),
    isListening: async (path) => (await import("./is-listening.ts")).isListening(path),
    connect: async (path, options) => (await import("./connect.ts")).connect(path, options),
    openTerminal: async (path, options) =>
      (await import("./terminal.ts")).openTerminal(path, options),
    effect: (_name, run) => run(),
  };
}
